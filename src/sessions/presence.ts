/**
 * Who is online, for every answer that looks once and ends: a session whose key lives, unless a node wrote it whose process
 * holds no lease. After Redis was away, or took no writes, all leases may be gone until each node has renewed its own: so
 * nobody is left out before a second look, for which all that are in doubt wait together; and nobody at all while Redis
 * takes no writes, since no node can renew then. Reads only.
 */
import { WssessError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import { pause } from '../common/pause.ts';
import type { Page } from './directory.ts';
import { isOfAnother, type Session } from './model.ts';
import { RENEW_EVERY } from './nodes.ts';
import type { Frame } from './overview.ts';
import type { Sessions } from './sessions.ts';

/** Milliseconds until the second look: by then a node that lives has renewed its lease, also one that is busy. */
export const LOOK_AGAIN = RENEW_EVERY + 2000;
/** Milliseconds for which leases that were read serve the next answer, too. */
const CURRENT = 500;
/** Sessions in doubt that are held; with more, those are settled first. */
const MOST_DOUBTED = 1000;

/** Sessions that have a key and are not online: the process that had their sockets is gone. */
export interface LeftOut {
  ids: readonly string[];
  /** Names of their nodes, sorted. */
  nodes: readonly string[];
}

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes' | 'overview'>;

/** Of one answer, or of several, one after the other (--watch): only the first waits for a node that is gone. */
export class Presence {
  readonly #sessions: Floor;
  readonly #wait: number;
  /** Whether a process holds its lease, or can't have it at the moment; by incarnation. */
  readonly #held = new Map<string, boolean>();
  #currentUntil = Number.NEGATIVE_INFINITY;
  /** Processes that had no lease twice. */
  readonly #gone = new Set<string>();
  #ids: string[] = [];
  #nodes = new Set<string>();

  /** @param wait milliseconds until the second look */
  constructor(sessions: Floor, wait = LOOK_AGAIN) {
    this.#sessions = sessions;
    this.#wait = wait;
  }

  /** Of the last answer. */
  get leftOut(): LeftOut {
    return { ids: this.#ids, nodes: [...this.#nodes].sort() };
  }

  /**
   * Those that are online, page by page; those that were in doubt come last. A round trip more for the first page, and
   * for each page that brings a process which no page before it had.
   * @throws WssessError when Redis fails
   */
  async *online(pages: AsyncIterable<Page> | Iterable<Page>): AsyncGenerator<Page> {
    this.#begin();
    let doubted: Session[] = [];
    let since = 0;
    for await (const { sessions, skipped } of pages) {
      if (await this.#lookUp(sessions)) since = performance.now();
      const living: Session[] = [];
      for (const session of sessions) {
        if (this.#isHeld(session)) living.push(session);
        else if (this.#gone.has(session.details!.incarnation)) living.push(...this.#leave(session));
        else doubted.push(session);
      }
      yield { sessions: living, skipped };
      if (doubted.length <= MOST_DOUBTED) continue;
      yield { sessions: await this.#settle(doubted, since), skipped: 0 };
      doubted = [];
    }
    if (doubted.length > 0) yield { sessions: await this.#settle(doubted, since), skipped: 0 };
  }

  /** Those of them that are online. @throws WssessError when Redis fails */
  async only(sessions: readonly Session[]): Promise<Session[]> {
    const online: Session[] = [];
    for await (const page of this.online([{ sessions: [...sessions], skipped: 0 }])) online.push(...page.sessions);
    return online;
  }

  /** Whether all of them are online beyond doubt: nobody is waited for. */
  async areSure(sessions: readonly Session[]): Promise<boolean> {
    this.#begin();
    await this.#lookUp(sessions);
    return sessions.every((session) => this.#isHeld(session));
  }

  /**
   * A frame, of which each node that lives holds its lease, if it can.
   * @returns also whether a process without one has sessions, which the indexes don't count though they may live, or whose
   *   users they count though they are gone: only a walk tells
   * @throws WssessError when Redis fails
   */
  async frame(): Promise<{ frame: Frame; isDoubtful: boolean }> {
    const { nodes, overview } = this.#sessions;
    const frame = await overview.frame();
    // Nothing is left to explain, or no node is missing.
    if (frame.own === frame.listed || frame.nodes.every(({ alive }) => alive)) return { frame, isDoubtful: false };
    const without = (await nodes.processes()).filter(({ alive }) => !alive);
    const isKnown = without.every(({ incarnation }) => this.#gone.has(incarnation));
    if (isKnown || !(await this.#takesWrites())) return { frame, isDoubtful: without.length > 0 };
    await pause(this.#wait);
    const still = (await nodes.processes()).filter(({ alive }) => !alive);
    const before = new Set(without.map(({ incarnation }) => incarnation));
    if (await this.#takesWrites()) {
      for (const { incarnation } of still) if (before.has(incarnation)) this.#gone.add(incarnation);
    }
    return { frame: await overview.frame(), isDoubtful: still.length > 0 };
  }

  #begin(): void {
    this.#ids = [];
    this.#nodes = new Set();
    if (performance.now() < this.#currentUntil) return;
    this.#held.clear();
    this.#currentUntil = performance.now() + CURRENT;
  }

  /** Reads the leases that were not read for this answer. @returns whether one is missing that was not known to be gone */
  async #lookUp(sessions: readonly Session[]): Promise<boolean> {
    const unknown = new Map<string, string>();
    for (const { details } of sessions) {
      if (details && !this.#held.has(details.incarnation)) unknown.set(details.incarnation, details.node);
    }
    if (unknown.size === 0) return false;
    const living = await this.#sessions.nodes.living([...unknown.values()]);
    const doubted: string[] = [];
    for (const [incarnation, node] of unknown) {
      const isHeld = living.get(node) === incarnation;
      this.#held.set(incarnation, isHeld);
      if (isHeld) this.#gone.delete(incarnation);
      else if (!this.#gone.has(incarnation)) doubted.push(incarnation);
    }
    if (doubted.length === 0) return false;
    if (await this.#takesWrites()) return true;
    for (const incarnation of doubted) this.#held.set(incarnation, true);
    return false;
  }

  /** Not while it is a replica, has too few of them, or can't save; a full one keeps leases. A viewer can't tell. */
  async #takesWrites(): Promise<boolean> {
    const { store, keys } = this.#sessions;
    try {
      await store.call('DEL', keys.request(newId())); // nobody's: nothing is written
      return true;
    } catch (error) {
      if (error instanceof WssessError && error.code === 'redis_denied') return true;
      if (error instanceof WssessError && error.code === 'redis_refused') return false;
      throw error;
    }
  }

  /** A foreign session needs no lease. */
  #isHeld({ details }: Session): boolean {
    return !details || this.#held.get(details.incarnation) === true;
  }

  /** The second look: they may have ended, been registered again, or have their lease again. @param since of the first look */
  async #settle(doubted: readonly Session[], since: number): Promise<Session[]> {
    await pause(Math.max(0, since + this.#wait - performance.now()));
    const processes = new Set(doubted.map(({ details }) => details!.incarnation));
    for (const incarnation of processes) this.#held.delete(incarnation);
    const users = new Map(doubted.map(({ id, user }) => [id, user]));
    const { sessions } = await this.#sessions.directory.getAll([...users.keys()]);
    await this.#lookUp(sessions);
    for (const incarnation of processes) if (this.#held.get(incarnation) === false) this.#gone.add(incarnation);
    // One that another user has by now was not asked for.
    const same = sessions.filter(({ id, user }) => user === users.get(id));
    return same.flatMap((session) => (this.#isHeld(session) ? [session] : this.#leave(session)));
  }

  /** Of a process that is gone: left out, unless another program uses the id again, whose session it is by now. */
  #leave(session: Session): Session[] {
    if (isOfAnother(session)) return [{ ...session, details: null, packed: '' }];
    this.#ids.push(session.id);
    this.#nodes.add(session.details!.node);
    return [];
  }
}
