/**
 * How many there are. Up to 50,000 members the set of all is walked: exact, and what was deleted by hand a moment ago is
 * in the next answer. Above that the indexes of living nodes are counted; where these don't explain all that is listed,
 * the foreign sessions that the sweep keeps account of are added. Where nobody sweeps, it is walked at any size.
 */
import type { Frame } from './overview.ts';
import type { Presence } from './presence.ts';
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

/**
 * @param presence what dead nodes left is not counted; without it, as the sweep of a living node leaves it
 * @throws WssessError when Redis fails
 */
export async function countSessions(sessions: Floor, presence?: Presence): Promise<Counts> {
  const indexed = await countIndexed(sessions, presence);
  if (!indexed) return { ...(await walk(sessions, presence)), ...EXACT };
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
export async function countIndexed(
  { store, keys, overview }: Floor,
  presence?: Presence,
): Promise<Indexed | undefined> {
  if ((await store.call<number>('SCARD', keys.all)) <= WALKED) return undefined;
  const frame = presence ? (await presence.frame()).frame : await overview.frame();
  if (frame.own === frame.listed) return { frame, foreign: undefined };
  if (!frame.nodes.some(({ alive }) => alive)) return undefined; // nobody sweeps: what was swept last is of before
  const foreign = await countForeign({ store, keys });
  return foreign && { frame, foreign };
}

async function walk({ directory }: Floor, presence: Presence | undefined): Promise<Omit<Counts, keyof Exactness>> {
  if (!presence) return directory.count();
  const users = new Set<string>();
  let [sessions, skipped] = [0, 0];
  for await (const page of presence.online(directory.walk())) {
    sessions += page.sessions.length;
    skipped += page.skipped;
    for (const { user } of page.sessions) users.add(user);
  }
  return { sessions, users: users.size, skipped };
}
