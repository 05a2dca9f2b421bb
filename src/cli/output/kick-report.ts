/** What `wssess kick` says of each session. */
import { isDone, type KickResult, type Outcome } from '../../sessions/kick.ts';
import type { Io } from '../io.ts';
import type { Flags } from '../options.ts';
import type { Column } from './columns.ts';
import { drawTable, isForPrograms, NO_MATCH, print } from './print.ts';

/** Prints what became of each. */
export async function printKick(results: KickResult[], actionId: string, flags: Flags, io: Io): Promise<void> {
  if (isForPrograms(flags)) {
    const published = results.map(({ session_id, user, node, outcome }) => ({ session_id, user, node, outcome }));
    await print(io, flags, {
      json: { action_id: actionId, results: published },
      lines: published,
      rows: results.filter(isDone),
      columns: [],
      name: ({ session_id }) => session_id,
    });
    return;
  }
  if (results.length === 0) {
    io.err(NO_MATCH);
    return;
  }
  const headers = flags.headers !== false && !io.tty;
  await io.out(await drawTable(io, { ...flags, headers }, results, [...COLUMNS, io.tty ? TOOK : NOTE]));
  const sentence = `${summary(results)} · action ${actionId}\n`;
  if (!io.tty) return io.err(sentence); // a pipe gets the table alone
  // Below the table, where no width cuts them.
  const noted = results.filter((result) => noteOf(result) !== '');
  const notes = new Set(noted.map((result) => `${result.outcome}: ${noteOf(result)}\n`));
  await io.out([...notes].join('') + sentence);
}

/** `2 kicked, 1 purged, 1 not` */
function summary(results: readonly KickResult[]): string {
  const kicked = results.filter(({ outcome }) => outcome === 'kicked').length;
  const purged = results.filter((result) => result.purged).length;
  const rest = results.length - kicked - purged;
  return [`${kicked} kicked`, ...(purged > 0 ? [`${purged} purged`] : []), ...(rest > 0 ? [`${rest} not`] : [])].join(
    ', ',
  );
}

/** What follows from an outcome. */
const NOTES: Record<Outcome, string> = {
  kicked: '',
  already_gone: 'it ended meanwhile',
  not_found: 'no live session has this id',
  no_owner: 'a foreign session, another program has its socket; --purge removes its keys',
  node_unreachable: 'its node is dead; --purge removes its keys, and ends it should its node come back',
  timeout: 'its node did not answer, and will not act on it any more',
  unknown: 'its node took the request and did not answer; look again with: wssess show',
};

function noteOf({ outcome, purged }: KickResult): string {
  if (!purged) return NOTES[outcome];
  return outcome === 'no_owner' ? 'its keys were removed; its socket may live on' : 'its keys were removed';
}

const COLUMNS: Column<KickResult>[] = [
  { name: 'SESSION', value: ({ session_id }) => session_id },
  {
    name: 'OUTCOME',
    value: ({ outcome }) => outcome,
    style: (result) => (isDone(result) ? 'green' : 'red'),
  },
  { name: 'USER', value: ({ user }) => user ?? '', shrink: true },
  { name: 'NODE', value: ({ node }) => node ?? '' },
];

const TOOK: Column<KickResult> = {
  name: 'TOOK',
  value: ({ outcome, took }) => (outcome === 'kicked' ? `${Math.round(took)} ms` : ''),
  align: 'right',
};
const NOTE: Column<KickResult> = { name: 'NOTE', value: noteOf };
