/**
 * The index of foreign sessions, which the sweep keeps where there are too many sessions to walk for each answer: their
 * ids by expiry, their users, and what the last whole pass counted. It ends soon after nobody sweeps any more.
 */
import type { Argument } from '../../store/store.ts';
import { millisecondsOf } from '../clock.ts';
import type { Session } from '../model.ts';
import type { Sessions } from '../sessions.ts';

/** Members of the set of all up to which it is walked for each answer, which is exact then. */
export const WALKED = 50_000;
/** Milliseconds that the index outlives the last sign of who sweeps. */
export const KEPT = 60_000;
/** Roles that are counted; the others count as none. */
const MOST_ROLES = 1000;

/** What the last whole pass counted. */
export interface Swept {
  /** When the pass began: Redis's clock, milliseconds since 1970. */
  at: number;
  /** Entries that can't be shown. */
  skipped: number;
  withoutRole: number;
  byRole: [role: string, sessions: number][];
}

/** Foreign sessions as the index knows them. */
export interface ForeignCount extends Swept {
  sessions: number;
  /** Users of these who have no session of a node. */
  users: number;
}

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory'>;

/** @returns undefined where no sweep keeps it, or none has come to its end yet @throws WssessError */
export async function countForeign({ store, keys }: Pick<Floor, 'store' | 'keys'>): Promise<ForeignCount | undefined> {
  const [time, swept] = await store.batch<unknown>([['TIME'], ['GET', keys.swept]]);
  const told = typeof swept === 'string' ? readSwept(swept) : undefined;
  if (!told) return undefined;
  const now = millisecondsOf(time);
  const [sessions, users] = await store.batch<number>([
    ['ZCOUNT', keys.foreign, now, '+inf'],
    ['ZCARD', keys.foreignUsers],
  ]);
  return { ...told, sessions: sessions!, users: users! };
}

function readSwept(text: string): Swept | undefined {
  try {
    const { at, skipped, withoutRole, byRole } = JSON.parse(text) as Swept;
    const isWhole = [at, skipped, withoutRole].every(Number.isSafeInteger) && Array.isArray(byRole);
    return isWhole ? { at, skipped, withoutRole, byRole } : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the index during one pass. */
export class ForeignIndex {
  readonly #floor: Floor;
  /** When the pass began: users who weren't met since are gone. */
  readonly #at: number;
  readonly #roles = new Map<string, number>();
  #withoutRole = 0;
  #skipped = 0;

  constructor(floor: Floor, at: number) {
    this.#floor = floor;
    this.#at = at;
  }

  /** A page of the pass. */
  async put(page: {
    foreign: readonly Session[];
    live: readonly Session[];
    skipped: number;
    now: number;
  }): Promise<void> {
    this.#skipped += page.skipped;
    for (const { role } of page.live) {
      if (role === null || (this.#roles.size >= MOST_ROLES && !this.#roles.has(role))) this.#withoutRole++;
      else this.#roles.set(role, (this.#roles.get(role) ?? 0) + 1);
    }
    if (page.foreign.length === 0) return;
    const { store, keys } = this.#floor;
    const users = [...new Set(page.foreign.map(({ user }) => user))];
    const known = await store.call<(string | null)[]>('ZMSCORE', keys.users, ...users);
    const strangers = users.filter((_, i) => known[i] === null);
    const ends = page.foreign.flatMap(({ id, ttl }): Argument[] => [ttl === null ? '+inf' : page.now + ttl, id]);
    await this.#write(keys.foreign, ends);
    await this.#write(
      keys.foreignUsers,
      strangers.flatMap((user): Argument[] => [this.#at, user]),
    );
  }

  async #write(key: string, entries: readonly Argument[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#floor.store.batch([
      ['ZADD', key, ...entries],
      ['PEXPIRE', key, KEPT],
    ]);
  }

  /** Of entries of the index, takes out those that are no listed foreign session any more. */
  async check(ids: readonly string[]): Promise<void> {
    const { store, keys, directory } = this.#floor;
    const [{ traces }, listed] = await Promise.all([
      directory.inspect(ids),
      store.call<number[]>('SMISMEMBER', keys.all, ...ids),
    ]);
    const isListed = new Set(ids.filter((_, i) => listed[i] === 1));
    const foreign = traces.filter(({ id, user, details }) => user !== null && details === null && isListed.has(id));
    const living = new Set(foreign.map(({ id }) => id));
    const dead = ids.filter((id) => !living.has(id));
    if (dead.length > 0) await store.call('ZREM', keys.foreign, ...dead);
  }

  /** The pass has come to its end: says what it counted. */
  async end(): Promise<void> {
    const { store, keys } = this.#floor;
    for (;;) {
      const range = ['ZRANGE', keys.foreignUsers, '-inf', `(${this.#at}`, 'BYSCORE', 'LIMIT', 0, 100] as const;
      const gone = await store.call<string[]>(...range);
      if (gone.length === 0) break;
      await store.call('ZREM', keys.foreignUsers, ...gone);
    }
    const swept: Swept = {
      at: this.#at,
      skipped: this.#skipped,
      withoutRole: this.#withoutRole,
      byRole: [...this.#roles].sort((a, b) => b[1] - a[1]),
    };
    await store.call('SET', keys.swept, JSON.stringify(swept), 'PX', KEPT);
  }
}

/** Removes it, where all can be walked again. */
export async function dropForeign({ store, keys }: Pick<Floor, 'store' | 'keys'>): Promise<void> {
  await store.call('UNLINK', keys.foreign, keys.foreignUsers, keys.swept);
}
