/**
 * Who is there: every way to read sessions. Online is decided by the session key alone, and a session is shown only
 * after that key was seen; reading changes nothing. Sets are walked by cursor, a bounded page at a time.
 */
import type { Store } from '../store/store.ts';
import type { Keys } from './keys.ts';
import { isUsableId, type Session, unpackDetails } from './model.ts';
import { inPages } from './owners.ts';
import { scan } from './scan.ts';
import { look } from './scripts.gen.ts';
import { unpackLost } from './tombstone.ts';

/** Ids a page: 100 block Redis for less than a millisecond. */
const PAGE = 100;

/** Some sessions, and how many entries beside them can't be shown (isUsableId, or a key of another type). */
export interface Page {
  sessions: Session[];
  skipped: number;
}

/** What is there of an id; the user is null when its session key is gone. */
export type Trace = Omit<Session, 'user'> & { user: string | null };

export interface Count {
  sessions: number;
  users: number;
  skipped: number;
}

export class Directory {
  readonly #store: Store;
  readonly #keys: Keys;

  constructor(store: Store, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
  }

  /** The live session of this id, whether or not the sets list it. */
  async get(id: string): Promise<Session | undefined> {
    return (await this.getAll([id])).sessions[0];
  }

  /** The live sessions of these ids, in their order, each once; ids that aren't alive are left out. */
  async getAll(ids: readonly string[]): Promise<Page> {
    const whole: Page = { sessions: [], skipped: 0 };
    const unique = [...new Set(ids)];
    for (let at = 0; at < unique.length; at += PAGE) {
      const page = await this.#look(unique.slice(at, at + PAGE));
      whole.sessions.push(...page.sessions);
      whole.skipped += page.skipped;
    }
    return whole;
  }

  /**
   * Of ids that aren't alive: the sessions that were reaped because their node was taken for dead, and that may come back
   * with it. Known for an hour (LOST_TTL).
   */
  async lost(ids: readonly string[]): Promise<Session[]> {
    const found: Session[] = [];
    for (const page of inPages(ids.filter(isUsableId), PAGE)) {
      const values = await this.#store.call<(string | null)[]>('MGET', ...page.map(this.#keys.lost));
      found.push(...page.flatMap((id, i) => (values[i] ? (unpackLost(id, values[i]) ?? []) : [])));
    }
    return found;
  }

  /**
   * All sessions, foreign ones too, page by page as the set yields them (SSCAN of the set of all), and how many ids each
   * page was made of.
   * @param options remember: each id once. Without it, one may come twice while the set grows or after a reconnect, and no
   * memory is needed that grows with the set
   */
  async *walk({ remember = true }: { remember?: boolean } = {}): AsyncGenerator<Page & { scanned: number }> {
    for await (const ids of this.#members(this.#keys.all, remember))
      yield { ...(await this.#look(ids)), scanned: ids.length };
  }

  /** What the set of all holds, alive or not, page by page; an id may come twice while the set grows or after a reconnect. */
  allIds(): AsyncGenerator<string[]> {
    return this.#members(this.#keys.all, false);
  }

  /** The live sessions of a user: those of the user's set that are listed, and whose session key names this user. */
  async sessionsOf(user: string): Promise<Page> {
    const whole: Page = { sessions: [], skipped: 0 };
    for await (const ids of this.#members(this.#keys.user(user))) {
      const page = await this.#look(await this.#listed(ids));
      whole.sessions.push(...page.sessions.filter((session) => session.user === user));
      whole.skipped += page.skipped;
    }
    return whole;
  }

  /**
   * The newest sessions of all nodes, newest first. Foreign sessions have no connect time and are never among them.
   * Read by rank, so that the cost doesn't depend on how many there are.
   */
  async newest(limit: number): Promise<Session[]> {
    const found: Session[] = [];
    const seen = new Set<string>();
    for (let rank = 0; found.length < limit; rank += PAGE) {
      const ids = await this.#store.call<string[]>('ZRANGE', this.#keys.newest, rank, rank + PAGE - 1, 'REV');
      const fresh = ids.filter((id) => !seen.has(id) && seen.add(id)); // who connects meanwhile shifts the ranks
      found.push(...(await this.#look(await this.#listed(fresh))).sessions);
      if (ids.length < PAGE) break;
    }
    return found.slice(0, limit);
  }

  /** How many sessions and users are online: exact, by a walk of the set with one MGET a page. */
  async count(): Promise<Count> {
    const count = { sessions: 0, users: new Set<string>(), skipped: 0 };
    for await (const { live, skipped } of this.liveIds()) {
      count.sessions += live.length;
      count.skipped += skipped;
      for (const { user } of live) count.users.add(user);
    }
    return { ...count, users: count.users.size };
  }

  /** Ids and users of all live sessions, page by page. */
  async *liveIds(): AsyncGenerator<{ live: { id: string; user: string }[]; skipped: number }> {
    for await (const page of this.#members(this.#keys.all)) {
      const ids = page.filter(isUsableId);
      const users =
        ids.length > 0 ? await this.#store.call<(string | null)[]>('MGET', ...ids.map(this.#keys.session)) : [];
      const live = ids.flatMap((id, i) => (typeof users[i] === 'string' ? [{ id, user: users[i] }] : []));
      yield { live, skipped: page.length - ids.length + (await this.#ofAnotherType(ids.filter((_, i) => !users[i]))) };
    }
  }

  /** Of ids that MGET gave nothing for, how many have a key of another type: to MGET it looks like none. */
  async #ofAnotherType(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const types = await this.#store.batch<string>(ids.map((id) => ['TYPE', this.#keys.session(id)]));
    return types.filter((type) => type !== 'none' && type !== 'string').length;
  }

  /**
   * The longest TTL among the members of a user's set, in milliseconds; `none` when one of them has no end. What a set
   * without a TTL must be given at least.
   */
  async longestTtl(user: string): Promise<number | 'none'> {
    let longest = 1;
    for await (const ids of this.#members(this.#keys.user(user))) {
      const ttls = await this.#store.batch<number>(ids.map((id) => ['PTTL', this.#keys.session(id)]));
      if (ttls.includes(-1)) return 'none';
      longest = Math.max(longest, ...ttls);
    }
    return longest;
  }

  /** The ids that a user's set holds, alive or not, page by page; those that can't be a session's are left out. */
  async *idsOf(user: string): AsyncGenerator<string[]> {
    for await (const ids of this.#members(this.#keys.user(user))) {
      const usable = ids.filter(isUsableId);
      if (usable.length > 0) yield usable;
    }
  }

  /** The ids that the index of a process holds, page by page; one may come twice. */
  async *idsOwnedBy(incarnation: string): AsyncGenerator<string[]> {
    const index = this.#keys.own(incarnation);
    for await (const flat of scan(this.#store, (cursor) => ['ZSCAN', index, cursor, 'COUNT', PAGE])) {
      const ids = flat.filter((_, i) => i % 2 === 0);
      // A small one comes whole, in its compact encoding, whatever COUNT says.
      for (let at = 0; at < ids.length; at += PAGE) yield ids.slice(at, at + PAGE);
    }
  }

  /**
   * Sessions that by the index of a process end soon, or have ended: a page of them, the first to end first.
   * @param within milliseconds from now, by Redis's clock
   * @returns ids, and the milliseconds that are left
   */
  async endingSoon(incarnation: string, within: number): Promise<[id: string, left: number][]> {
    const [seconds, micros] = await this.#store.call<[string, string]>('TIME');
    const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const range = ['-inf', now + within, 'BYSCORE', 'LIMIT', 0, PAGE, 'WITHSCORES'];
    const flat = await this.#store.call<string[]>('ZRANGE', this.#keys.own(incarnation), ...range);
    return flat.flatMap((id, i) => (i % 2 === 0 ? [[id, Number(flat[i + 1]) - now] as [string, number]] : []));
  }

  /** Those of the ids that the set of all holds. */
  async #listed(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const listed = await this.#store.call<number[]>('SMISMEMBER', this.#keys.all, ...ids);
    return ids.filter((_, i) => listed[i] === 1);
  }

  async #look(ids: readonly string[]): Promise<Page> {
    const { traces, skipped } = await this.inspect(ids);
    return { sessions: traces.filter((one): one is Session => one.user !== null), skipped };
  }

  /**
   * Looks at up to a few hundred ids in one script.
   * @returns what is there of each, of those too whose session key is gone; and how many can't be shown
   */
  async inspect(ids: readonly string[]): Promise<{ traces: Trace[]; skipped: number }> {
    const usable = ids.filter(isUsableId);
    const traces: Trace[] = [];
    if (usable.length === 0) return { traces, skipped: ids.length };
    const { session, role, details } = this.#keys;
    const keys = usable.flatMap((id) => [session(id), role(id), details(id)]);
    const found = await this.#store.run<(string | number | null)[]>(look, keys);
    usable.forEach((id, i) => {
      const [user, ttl, userRole, packed] = found.slice(i * 4, i * 4 + 4) as [
        string | 1 | null,
        number,
        string | null,
        string | null,
      ];
      if (user === 1) return;
      traces.push({
        id,
        user,
        role: userRole,
        ttl: ttl < 0 ? null : ttl,
        details: packed === null ? null : unpackDetails(packed),
        packed: packed ?? '',
      });
    });
    return { traces, skipped: ids.length - traces.length };
  }

  /** The members of a set in pages of a bounded size; each once, though SSCAN may name one twice. */
  async *#members(key: string, remember = true): AsyncGenerator<string[]> {
    const seen = new Set<string>();
    for await (const members of scan(this.#store, (cursor) => ['SSCAN', key, cursor, 'COUNT', PAGE])) {
      const fresh = remember ? members.filter((member) => !seen.has(member) && seen.add(member)) : members;
      // A small set comes whole, in its compact encoding, whatever COUNT says.
      for (let at = 0; at < fresh.length; at += PAGE) yield fresh.slice(at, at + PAGE);
    }
  }
}
