/**
 * How many there are. Up to 50,000 members the set of all is walked: exact, and what was deleted by hand a moment ago is
 * in the next answer. Above that the indexes of living nodes are counted; where these don't explain all that is listed,
 * the foreign sessions that the sweep keeps account of are added. Where nobody sweeps, it is walked at any size.
 */
import type { Frame } from './overview.ts';
import type { Sessions } from './sessions.ts';
import { countForeign, type ForeignCount, WALKED } from './sweep/foreign.ts';

/** Whether an answer is what holds now. */
export interface Exactness {
  exact: boolean;
  /** Where it isn't: since when it holds at the latest, milliseconds since 1970. */
  asOf: number | null;
}

export const EXACT: Exactness = { exact: true, asOf: null };

export interface Counts extends Exactness {
  sessions: number;
  users: number;
  skipped: number;
}

/** What the indexes say: the nodes' own, and the foreign sessions that the sweep knows of. */
export interface Indexed {
  frame: Frame;
  /** undefined where the indexes of the nodes explain all that is listed. */
  foreign: ForeignCount | undefined;
}

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory' | 'overview'>;

/** @throws WssessError when Redis fails */
export async function countSessions(sessions: Floor): Promise<Counts> {
  const indexed = await countIndexed(sessions);
  if (!indexed) return { ...(await sessions.directory.count()), ...EXACT };
  const { frame, foreign } = indexed;
  if (!foreign) return { sessions: frame.own, users: frame.users, skipped: 0, ...EXACT };
  return {
    sessions: frame.own + foreign.sessions,
    users: frame.users + foreign.users,
    skipped: foreign.skipped,
    exact: false,
    asOf: foreign.at,
  };
}

/** @returns undefined where the set of all must be walked: it is small, or nobody keeps account of foreign sessions */
export async function countIndexed({ store, keys, overview }: Floor): Promise<Indexed | undefined> {
  if ((await store.call<number>('SCARD', keys.all)) <= WALKED) return undefined;
  const frame = await overview.frame();
  if (frame.own === frame.listed) return { frame, foreign: undefined };
  const foreign = await countForeign({ store, keys });
  return foreign && { frame, foreign };
}
