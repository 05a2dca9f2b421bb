/**
 * Writes sessions: register, unregister, refresh. Each is one atomic script; the keys depend on what is stored (the
 * user's set), so the caller says what it believes, the script compares first, and on a difference it is repeated with
 * the truth.
 */
import { WssessError, wrongType } from '../common/errors.ts';
import type { Store } from '../store/store.ts';
import type { Directory } from './directory.ts';
import type { Keys } from './keys.ts';
import { type Details, packDetails, type Session, unpackDetails } from './model.ts';
import type { Process } from './nodes.ts';
import { discard, extend, prune, refresh, register, unregister } from './scripts.gen.ts';
import {
  type Ended,
  LOST_TTL,
  packLost,
  packTombstone,
  SessionEnded,
  TOMBSTONE_TTL,
  unpackTombstone,
} from './tombstone.ts';

/** Milliseconds that the details outlive their session, so that whoever reaps it still knows whose it was. */
const DETAILS_GRACE = 3_600_000;
/** How often a script is repeated with the truth, each time with and without the TTL of the user's set. */
const TRIES = 3;

/** A session that is to be removed, or what is left of one, as it was seen. */
export interface Gone {
  id: string;
  /** Whom the session key names, '' when it is gone. */
  user: string;
  details: Details | null;
  /** The details as they are in Redis; '' for none. */
  packed: string;
  /** Its owner lives, and said that it has no such session. Else its owner's lease must be gone. */
  disowned?: boolean;
  /** Without details: the process in whose index it was found. */
  index?: Process;
}

/**
 * `removed` · `anothers`: another program has given the session to another user, so it stays, without what its owner left ·
 * `changed`: it is not what was seen · `lives`: its owner lives after all.
 */
type Reaped = 'removed' | 'anothers' | 'changed' | 'lives';

/** A script's answer: what became of it, and the truth where it differs. */
type Answer = [result: string, ...truth: string[]];

export class Registry {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #directory: Directory;

  constructor(store: Store, keys: Keys, directory: Directory) {
    this.#store = store;
    this.#keys = keys;
    this.#directory = directory;
  }

  /**
   * Registers a session of a node under an id that must be free.
   * @param most how many sessions its user may have then, 0 for any number
   * @throws WssessError `session_taken`, `too_many_sessions`, `lease_lost`, `key_type`; nothing was written then
   */
  async register(id: string, details: Details, most = 0): Promise<void> {
    await this.#write(id, details.user, details, details.ttl, 'new', most);
  }

  /**
   * Registers a session whose CONNECT was answered while Redis was away; the answer to an earlier attempt may be lost.
   * @param ttl milliseconds that it has left
   * @throws WssessError as register does, and SessionEnded
   */
  async registerLate(id: string, details: Details, most: number, ttl: number): Promise<void> {
    await this.#write(id, details.user, details, ttl, 'late', most);
  }

  /**
   * The owner's refresh: raises the TTLs to what the client's last sign gives, and writes again what has been deleted. A
   * full Redis refuses that; the TTLs of what is there are raised all the same, or who is active would be gone by them.
   * @param user whom the session key is believed to name
   * @param ttl milliseconds
   * @returns whom the session key names
   * @throws WssessError `session_taken` when the id belongs to another by now, `lease_lost`, `key_type`; SessionEnded when
   *   it was ended while this node was taken for dead
   */
  async renew(id: string, user: string, details: Details, ttl: number): Promise<string> {
    try {
      return (await this.#write(id, user, details, ttl, 'again')) ?? user;
    } catch (error) {
      if (error instanceof WssessError && error.code === 'redis_refused') await this.#extend(id, user, details, ttl);
      throw error;
    }
  }

  /** Raises the TTLs alone, of what is there. @throws WssessError */
  async #extend(id: string, user: string, details: Details, ttl: number): Promise<void> {
    const { session, role, user: userSet, details: detailsKey, own, lease } = this.#keys;
    const beside = [detailsKey(id), own(details.incarnation), lease(details.node)];
    await this.#store.run<Answer>(
      extend,
      [session(id), role(id), userSet(user), ...beside],
      [id, user, packDetails(details), Math.ceil(ttl), Math.ceil(ttl) + DETAILS_GRACE, details.incarnation],
    );
  }

  async #write(
    id: string,
    user: string,
    details: Details,
    ttl: number,
    mode: 'new' | 'late' | 'again',
    most = 0,
  ): Promise<string | undefined> {
    const { session, role, user: userSet, all, details: detailsKey, newest, lease, own, users } = this.#keys;
    const packed = packDetails(details);
    const beside = [detailsKey(id), newest, users, own(details.incarnation), lease(details.node)];
    const left = [this.#keys.tombstone(id), this.#keys.lost(id)];
    return this.#compareAndWrite(id, user, async (believed, floor) =>
      this.#store.run<Answer>(
        register,
        [session(id), role(id), userSet(believed), all, ...beside, ...left],
        [
          id,
          believed,
          details.role ?? '',
          Math.ceil(ttl),
          packed,
          Math.ceil(ttl) + DETAILS_GRACE,
          details.connectedAt,
          details.incarnation,
          mode,
          floor,
          most,
        ],
      ),
    );
  }

  /**
   * Sets the TTL of a live session anew, whoever wrote it. (The seed's refreshSessionTTL.)
   * @param session as it was found
   * @param ttl milliseconds
   * @returns whom it belongs to; undefined when it lives no more
   * @throws WssessError `key_type`
   */
  async refresh(session: Session, ttl: number): Promise<string | undefined> {
    const { session: key, role, user: userSet, details, own } = this.#keys;
    const index = own(session.details?.incarnation ?? '');
    return this.#compareAndWrite(session.id, session.user, async (believed, floor) =>
      this.#store.run<Answer>(
        refresh,
        [key(session.id), role(session.id), userSet(believed), details(session.id), index],
        [believed, ttl, ttl + DETAILS_GRACE, floor, session.id],
      ),
    );
  }

  /**
   * Runs a script that compares first, until what it is told agrees with what is stored.
   * @returns whom the session key names; undefined when it is gone
   */
  async #compareAndWrite(
    id: string,
    user: string,
    run: (believed: string, floor: string | number) => Promise<Answer>,
  ): Promise<string | undefined> {
    let believed = user;
    let floor: string | number = '';
    for (let attempt = 0; attempt < TRIES * 2; attempt++) {
      const [result, truth] = await run(believed, floor);
      switch (result) {
        case 'OK':
          return believed;
        case 'STALE':
          believed = truth!;
          floor = '';
          break;
        case 'NOTTL':
          floor = await this.#directory.longestTtl(believed);
          break;
        case 'GONE':
          return undefined;
        case 'MANY':
          // The set may hold ids of sessions that ended unseen: those don't count.
          if ((await this.#prune(believed)) > 0) break;
          throw new WssessError('too_many_sessions', 'the user has as many sessions as one may have');
        case 'NOLEASE':
          throw leaseLost();
        case 'ENDED':
          throw new SessionEnded(unpackTombstone(truth!));
        case 'TAKEN':
          if (isUnreadable(truth) && (await this.discard([{ id, packed: truth! }])) > 0) break;
          throw new WssessError('session_taken', 'the session id is in use');
        default:
          throw wrongType(truth!);
      }
    }
    throw new WssessError('changed_meanwhile', `others keep changing the session of ${user}`);
  }

  /** Takes out of a user's set what is no session of this user. @returns how many ids */
  async #prune(user: string): Promise<number> {
    let pruned = 0;
    for await (const ids of this.#directory.idsOf(user)) pruned += await this.prune(user, ids);
    return pruned;
  }

  /**
   * Takes those of the ids out of a user's set that are no session of this user; a user whose set is gone leaves the
   * index of users.
   * @param ids a page of them, or none
   * @returns how many ids
   */
  async prune(user: string, ids: readonly string[]): Promise<number> {
    const { session, user: userSet, users } = this.#keys;
    const keys = [userSet(user), users, ...ids.map(session)];
    const [result, count] = await this.#store.run<[string, number | string]>(prune, keys, [user, ...ids]);
    return result === 'OK' ? Number(count) : 0;
  }

  /**
   * Removes details that can't be read: a hand wrote them, and their owner writes them again.
   * @param seen the details as they are in Redis; '' for a key of another type
   * @returns how many were removed; those that are others by now are not
   */
  async discard(seen: readonly { id: string; packed: string }[]): Promise<number> {
    const runs = seen.map(({ id, packed }) => {
      // What isn't UTF-8 arrives with U+FFFD, and can't be said as it is.
      const end = packed.indexOf('\ufffd');
      return { keys: [this.#keys.details(id)], args: end < 0 ? [packed, ''] : [packed.slice(0, end), 'part'] };
    });
    const answers = await this.#store.runAll<[string, number?]>(discard, runs);
    return answers.filter(([, removed]) => removed === 1).length;
  }

  /**
   * The owner's unregister: whatever the session key says by now, all of it goes; what belongs to another owner stays, and
   * so does, without the owner's details, what names another user: the session was reaped, and the id is another's. Without
   * a lease the owner removes only what is still exactly its own.
   * @param user whom the session key is believed to name
   * @throws WssessError `lease_lost` when it can't know, `changed_meanwhile`
   */
  async unregister(id: string, user: string, details: Details): Promise<void> {
    const own = packDetails(details);
    let [believedUser, believedDetails] = [user, own];
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const seen = { id, user: believedUser, details, packed: believedDetails };
      const [result, truth, found] = await this.#remove(seen, 'own');
      if (result === 'OK') return;
      if (result === 'NOLEASE') throw leaseLost();
      const isAnothers = found !== '' && found !== own;
      if (isAnothers && !isUnreadable(found)) return;
      if (found === '' && truth !== '' && truth !== user) return; // reaped, and the id is another's by now
      if (isAnothers) await this.discard([{ id, packed: found! }]);
      [believedUser, believedDetails] = [truth!, isAnothers ? '' : found!];
    }
    throw new WssessError('changed_meanwhile', `others keep changing session ${id}`);
  }

  /**
   * Removes the keys of a session that nobody owns: a foreign one, or one whose node's lease is gone.
   * @param session as it was found
   * @param ended how its owner, should it come back, shall end it; left for it also when all keys were gone before.
   *   Undefined: the session may come back with its owner
   * @returns false when it changed since, or when its owner lives
   */
  async purge(session: Session, ended?: Ended): Promise<boolean> {
    const tombstone = session.details && ended ? packTombstone(session.details.incarnation, ended) : '';
    return (await this.#remove(session, 'purge', tombstone))[0] === 'OK';
  }

  /** Of these sessions of a process, those that somebody else ended while it was taken for dead. @throws WssessError */
  async ended(ids: readonly string[], incarnation: string): Promise<Map<string, Ended>> {
    const found = await this.#store.call<(string | null)[]>('MGET', ...ids.map(this.#keys.tombstone));
    const own = found.map((value) => (value?.startsWith(incarnation) ? unpackTombstone(value) : undefined));
    return new Map(ids.flatMap((id, i) => (own[i] ? [[id, own[i]]] : [])));
  }

  /**
   * Removes sessions that nobody owns, and what is left of such: one script each, in one write, and each acts only if
   * its session is still what was seen. Whose it was stays known for a while, since it may come back with its owner.
   * @param gone at most some 50, so that Redis serves others in between
   * @returns what became of each
   */
  async reap(gone: readonly Gone[]): Promise<Reaped[]> {
    const answers = await this.#store.runAll<Answer>(
      unregister,
      gone.map((one) => this.#removal(one, 'reap')),
    );
    const became: Record<string, Reaped> = { OK: 'removed', ANOTHERS: 'anothers', LIVE: 'lives' };
    return answers.map(([result]) => became[result] ?? 'changed');
  }

  async #remove(
    { id, user, details, packed }: Pick<Session, 'id' | 'user' | 'details' | 'packed'>,
    who: 'own' | 'purge' | 'reap',
    tombstone = '',
  ): Promise<Answer> {
    const { keys, args } = this.#removal({ id, user, details, packed }, who, tombstone);
    return this.#store.run<Answer>(unregister, keys, args);
  }

  /** Keys and arguments of unregister.lua. */
  #removal(
    { id, user, details, packed, disowned, index }: Gone,
    who: 'own' | 'purge' | 'reap',
    tombstone = '',
  ): { keys: string[]; args: (string | number)[] } {
    const keys = this.#keys;
    const owner = details ?? { user, node: index?.name ?? '', incarnation: index?.incarnation ?? '' };
    const families = [keys.session(id), keys.role(id), keys.user(user), keys.user(owner.user), keys.all];
    const beside = [keys.details(id), keys.newest, keys.lease(owner.node), keys.own(owner.incarnation), keys.users];
    const said = [id, user, packed, disowned ? '' : owner.incarnation, owner.user, who];
    const trace = who === 'reap' && details && !disowned ? packLost(details) : '';
    const left = [tombstone, TOMBSTONE_TTL, trace, LOST_TTL];
    return {
      keys: [...families, ...beside, keys.tombstone(id), keys.lost(id)],
      args: [...said, ...left],
    };
  }
}

/** Details that no node wrote. */
const isUnreadable = (packed: string | undefined) => packed !== undefined && unpackDetails(packed) === null;

const leaseLost = () => new WssessError('lease_lost', 'this node does not hold its lease at the moment');
