/**
 * A paced walk of the set of all that tells what the indexes of living nodes don't hold: sessions of other programs, of
 * nodes that died, and ids that live no more. It explains where a frame's `listed` and `own` differ.
 */
import type { Session } from './model.ts';
import { Pacer } from './pacer.ts';
import type { Sessions } from './sessions.ts';
import { countForeign, WALKED } from './sweep/foreign.ts';

/** How far a survey is: counts so far. */
export interface Progress {
  scanned: number;
  /** Size of the set of all when it began. */
  listed: number;
  /** Live sessions that no node wrote. */
  foreign: number;
  /** Users of these who have no own session. */
  foreignUsers: number;
  /** Live sessions of nodes that no living node's index holds: their process died, or keeps no index. */
  orphans: number;
  /** Ids whose session key is gone. */
  dead: number;
  /** The first 1,000 foreign ones. */
  sample: Session[];
  /** The walk has come to its end. */
  done: boolean;
}

const SAMPLE = 1000;
/** Share of the time that a survey works: Redis serves others for the rest. */
const PACE = 0.25;

/**
 * Walks the set of all.
 * @param options signal: ends the walk, without `done`; pace: the share of the time that it works, 0 to 1
 * @returns its progress after each page, and at the end
 * @throws WssessError when Redis fails
 */
export async function* survey(
  { store, keys, directory, nodes }: Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes'>,
  { signal, pace = PACE }: { signal?: AbortSignal; pace?: number } = {},
): AsyncGenerator<Progress> {
  const listed = await store.call<number>('SCARD', keys.all);
  const progress: Progress = {
    scanned: 0,
    listed,
    foreign: 0,
    foreignUsers: 0,
    orphans: 0,
    dead: 0,
    sample: [],
    done: false,
  };
  const owners = new Owners({ store, keys, nodes });
  const users = new Set<string>();
  const pacer = new Pacer(pace, signal);
  for await (const { sessions, skipped, scanned } of directory.walk()) {
    if (signal?.aborted) return;
    const foreign = sessions.filter(({ details }) => details === null);
    progress.scanned += scanned;
    progress.dead += scanned - sessions.length - skipped;
    progress.foreign += foreign.length;
    progress.orphans += await owners.orphansOf(sessions);
    progress.sample = progress.sample.concat(foreign.slice(0, SAMPLE - progress.sample.length));
    const strangers = [...new Set(foreign.map(({ user }) => user))].filter((user) => !users.has(user));
    if (strangers.length > 0) {
      const own = await store.call<(string | null)[]>('ZMSCORE', keys.users, ...strangers);
      for (const user of strangers) users.add(user);
      progress.foreignUsers += own.filter((score) => score === null).length;
    }
    yield { ...progress };
    await pacer.rest();
  }
  if (!signal?.aborted) yield { ...progress, done: true };
}

/**
 * The same without a walk, where there are too many to walk and a sweep keeps account of foreign sessions; what dead
 * processes left it removes within seconds.
 * @returns undefined where no sweep does
 */
export async function fromSweep({
  store,
  keys,
  directory,
}: Pick<Sessions, 'store' | 'keys' | 'directory'>): Promise<Progress | undefined> {
  const listed = await store.call<number>('SCARD', keys.all);
  const foreign = listed > WALKED ? await countForeign({ store, keys }) : undefined;
  if (!foreign) return undefined;
  const ids = await store.call<string[]>('ZRANGE', keys.foreign, 0, SAMPLE - 1);
  const { sessions } = await directory.getAll(ids);
  return {
    scanned: listed,
    listed,
    foreign: foreign.sessions,
    foreignUsers: foreign.users,
    orphans: 0,
    dead: 0,
    sample: sessions.filter(({ details }) => details === null),
    done: true,
  };
}

/** Which processes live: each is looked up once. */
class Owners {
  readonly #sessions: Pick<Sessions, 'store' | 'keys' | 'nodes'>;
  readonly #alive = new Map<string, boolean>();

  constructor(sessions: Pick<Sessions, 'store' | 'keys' | 'nodes'>) {
    this.#sessions = sessions;
  }

  /** How many of the sessions of nodes are in no index of a living one. */
  async orphansOf(page: readonly Session[]): Promise<number> {
    const { store, keys, nodes } = this.#sessions;
    const owned = page.flatMap(({ id, details }) => (details ? [{ id, ...details }] : []));
    const unknown = owned.filter(({ incarnation }) => !this.#alive.has(incarnation));
    if (unknown.length > 0) {
      const living = await nodes.living(unknown.map(({ node }) => node));
      for (const { node, incarnation } of unknown) this.#alive.set(incarnation, living.get(node) === incarnation);
    }
    const idsOf = new Map<string, string[]>();
    for (const { id, incarnation } of owned) {
      if (this.#alive.get(incarnation)) idsOf.set(incarnation, [...(idsOf.get(incarnation) ?? []), id]);
    }
    if (idsOf.size === 0) return owned.length;
    const scores = await store.batch<(string | null)[]>(
      [...idsOf].map(([incarnation, ids]) => ['ZMSCORE', keys.own(incarnation), ...ids]),
    );
    return owned.length - scores.flat().filter((score) => score !== null).length;
  }
}
