/** Collects the rows of `ls`: selected, sorted, limited, with what only nodes know where it is needed. */
import { countSessions, EXACT, type Exactness } from './counts.ts';
import { askLive } from './live.ts';
import { type Live, type Row, type Session, toRow } from './model.ts';
import type { LeftOut, Presence } from './presence.ts';
import { find, isSelective, type Selection } from './selection.ts';
import type { Sessions } from './sessions.ts';

/** What rows can be sorted by: the published names. */
export const SORTS = [
  'session_id',
  'user',
  'role',
  'node',
  'ip',
  'connected_at',
  'idle',
  'ttl',
  'version',
  'subscriptions',
  'recv_cnt',
  'send_cnt',
  'recv_oct',
  'send_oct',
] as const satisfies readonly (keyof Row)[];
export type Sort = (typeof SORTS)[number];

/** Names that only the owning node knows. */
const LIVE = new Set<Sort>(['idle', 'subscriptions', 'recv_cnt', 'send_cnt', 'recv_oct', 'send_oct']);

export interface Wanted {
  selection: Selection;
  /** undefined: newest first. */
  sort: Sort | undefined;
  reverse: boolean;
  limit: number;
  /** Ask the nodes for what only they know. */
  live: boolean;
}

/** `ls` as it is published, without the constants. */
export interface Listing extends Exactness {
  rows: Row[];
  /** How many are selected, whatever the limit; what isn't exact is this. */
  total: number;
  skipped: number;
  /** Where nodes were asked: those that didn't answer, and those that are gone and left sessions. */
  nodesMissing: string[];
  /** Of these, those that were asked. */
  unanswered: string[];
  leftOut: LeftOut;
}

/** The rows of those that are online, in order, at most `limit`. Only twice as many are ever held. */
export async function list(sessions: Sessions, wanted: Wanted, presence: Presence): Promise<Listing> {
  const { selection, sort, reverse, limit, live } = wanted;
  if (
    sort === undefined &&
    !reverse &&
    !isSelective(selection) &&
    !selection.except &&
    limit < Number.POSITIVE_INFINITY
  ) {
    const newest = await listNewest(sessions, limit, live, presence);
    if (newest) return newest;
  }
  const asker = new Asker(sessions);
  const compare = comparator(sort ?? 'connected_at', sort === undefined ? !reverse : reverse);
  // Facts that don't decide the order are asked for at the end, for the rows that are shown.
  const early = sort !== undefined && LIVE.has(sort);
  let best: { row: Row; session: Session }[] = [];
  const cut = () => {
    best = best.sort((a, b) => compare(a.row, b.row)).slice(0, limit);
  };
  let [total, skipped] = [0, 0];
  for await (const page of presence.online(find(sessions.directory, selection))) {
    const facts = early ? await asker.ask(page.sessions) : undefined;
    for (const session of page.sessions) best.push({ session, row: toRow(session, facts?.get(session.id)) });
    total += page.sessions.length;
    skipped += page.skipped;
    if (best.length > 2 * limit) cut();
  }
  cut();
  const rows = early || !live ? best.map(({ row }) => row) : await asker.rows(best.map(({ session }) => session));
  return { rows, total, skipped, ...EXACT, ...asker.lacking(presence.leftOut, early || live) };
}

/** The newest by their index, when it has enough of them that are online for sure; the rest is only counted. */
async function listNewest(
  sessions: Sessions,
  limit: number,
  live: boolean,
  presence: Presence,
): Promise<Listing | undefined> {
  const newest = await sessions.directory.newest(limit);
  if (newest.length < limit || !(await presence.areSure(newest))) return undefined;
  const asker = new Asker(sessions);
  const rows = live ? await asker.rows(newest) : newest.map((session) => toRow(session));
  const { sessions: total, skipped, exact, asOf } = await countSessions(sessions, presence);
  return { rows, total, skipped, exact, asOf, ...asker.lacking(presence.leftOut, live) };
}

/** The rows as they are found, page by page: however many there are, only a page is held. */
export async function stream(
  sessions: Sessions,
  { selection, limit, live }: Pick<Wanted, 'selection' | 'limit' | 'live'>,
  presence: Presence,
  onRows: (rows: Row[]) => Promise<void>,
): Promise<Omit<Listing, 'rows'>> {
  const asker = new Asker(sessions);
  let [total, skipped] = [0, 0];
  for await (const page of presence.online(find(sessions.directory, selection))) {
    const shown = page.sessions.slice(0, Math.max(0, limit - total));
    if (shown.length > 0) await onRows(live ? await asker.rows(shown) : shown.map((session) => toRow(session)));
    total += page.sessions.length;
    skipped += page.skipped;
  }
  return { total, skipped, ...EXACT, ...asker.lacking(presence.leftOut, live) };
}

/** Asks nodes page after page; one that didn't answer once isn't waited for again. */
class Asker {
  readonly #sessions: Sessions;
  readonly #missing = new Set<string>();
  readonly #silent = new Set<string>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** What an answer says of what isn't in it. */
  lacking(leftOut: LeftOut, isAsked: boolean): Pick<Listing, 'nodesMissing' | 'unanswered' | 'leftOut'> {
    const unanswered = [...this.#missing].sort();
    const gone = isAsked ? leftOut.nodes : [];
    return { nodesMissing: [...new Set([...unanswered, ...gone])].sort(), unanswered, leftOut };
  }

  async ask(sessions: readonly Session[]): Promise<Map<string, Live>> {
    const askable = sessions.filter(({ details }) => details && !this.#silent.has(details.node));
    const { facts, nodesMissing, silent } = await askLive(askable, this.#sessions);
    for (const node of nodesMissing) this.#missing.add(node);
    for (const node of silent) this.#silent.add(node);
    return facts;
  }

  async rows(sessions: readonly Session[]): Promise<Row[]> {
    const facts = await this.ask(sessions);
    return sessions.map((session) => toRow(session, facts.get(session.id)));
  }
}

/** Rows without a value come last, either way; equal ones by id. */
function comparator(sort: Sort, descending: boolean): (a: Row, b: Row) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [a[sort], b[sort]];
    if (x === y) return a.session_id < b.session_id ? -1 : 1;
    if (x === null || y === null) return x === null ? 1 : -1;
    return x < y ? -sign : sign;
  };
}
