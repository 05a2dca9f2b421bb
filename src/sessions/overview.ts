/**
 * What a screen shows of everything, again and again: counts, nodes, a stretch of the sessions and of the users, and
 * the sessions that are looked at. Two round trips a frame (a third for users), and no work for Redis that grows with
 * the number of sessions: ranks, ranges of scores and sizes of sets only. Nothing is written.
 */
import { WssessError, wrongType } from '../common/errors.ts';
import type { Store } from '../store/store.ts';
import type { Directory } from './directory.ts';
import { type Entry, Filler, pairs } from './filling.ts';
import type { Keys } from './keys.ts';
import { KnownNodes, MOST_NODES, type NodeLoad } from './known-nodes.ts';
import { isUsableId, type Session } from './model.ts';
import { inPages } from './owners.ts';
import { frame as frameScript } from './scripts.gen.ts';
import type { Sessions } from './sessions.ts';
import { argumentsOf, type Found, isLost, MOST_ROWS, type Window } from './window.ts';

export type { Found, NodeLoad, Window };

/** A user of own sessions. */
export interface UserRow {
  user: string;
  /** Live ones among the first 100 of the user's set. */
  sessions: number;
  /** There are more than these 100. */
  more: boolean;
  /** Milliseconds since 1970: the latest connect. */
  newestAt: number;
}

/** What Redis says at one moment. */
export interface Frame {
  /** Redis's clock, milliseconds since 1970. */
  at: number;
  /** Milliseconds of the first round trip. */
  took: number;
  /** Size of the set of all, dead ids too. */
  listed: number;
  /** Live sessions of living nodes. */
  own: number;
  /** Users of own sessions. */
  users: number;
  /** By name. */
  nodes: NodeLoad[];
  /** When asked for: only rows whose session lives and is listed. */
  sessions?: Found<Session>;
  /** When asked for: only users with a live session. */
  userRows?: Found<UserRow>;
  /** Of the ids asked for by `look`: those that live. */
  looked: Map<string, Session>;
}

/** What a frame is asked for. */
export interface Asks {
  sessions?: Window;
  users?: Window;
  /** At most 500. */
  look?: readonly string[];
}

/** Ids that one script looks at, members of a user's set that are counted. */
const PAGE = 100;

type Stretch = [] | [top: number, total: number, kept: number, flat: string[]];
type Answer = [
  now: string,
  listed: number,
  users: number,
  seen: string[],
  known: [lease: string | null, sessions: number][],
  sessions: Stretch,
  users: Stretch,
];

export class Overview {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #directory: Directory;
  readonly #known: KnownNodes;
  readonly #newest: Filler;
  readonly #users: Filler;

  constructor({ store, keys, directory, nodes }: Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes'>) {
    this.#store = store;
    this.#keys = keys;
    this.#directory = directory;
    this.#known = new KnownNodes(nodes);
    this.#newest = new Filler(store, keys.newest);
    this.#users = new Filler(store, keys.users);
  }

  /**
   * Asks Redis. Nodes are remembered from frame to frame; when one is new or was started anew, this frame takes two
   * round trips more.
   * @throws WssessError when Redis fails
   */
  async frame(asks: Asks = {}): Promise<Frame> {
    return this.#frame(asks, false);
  }

  async #frame(asks: Asks, again: boolean): Promise<Frame> {
    const began = performance.now();
    let heard = await this.#ask(asks);
    const took = performance.now() - began;
    if (await this.#known.meet(heard.strangers)) heard = await this.#ask(asks);
    const { answer, nodes } = heard;
    const [at, listed, users, , , sessions, userRows] = answer;
    const look = (asks.look ?? []).slice(0, MOST_ROWS);
    const ids = new Set(pairs(sessions[3]).map(([id]) => id));
    // One look for the window and for what is looked at beside it.
    const first = this.#look([...new Set([...ids, ...look])]);
    const see = (entries: readonly Entry[]) =>
      this.#sessionsOf(entries, entries.every(([id]) => ids.has(id)) ? first : undefined);
    const [looked, found, rows] = await Promise.all([
      first,
      asks.sessions && this.#found(sessions, asks.sessions, this.#newest, see),
      asks.users && this.#found(userRows, asks.users, this.#users, (some) => this.#usersOf(some)),
    ]);
    if (found && asks.sessions?.keep && !again && isLost(found)) {
      // Dead entries between it and its window are gone: where its row was says nothing any more.
      const keep = { ...asks.sessions.keep, row: asks.sessions.rows >> 1 };
      return this.#frame({ ...asks, sessions: { ...asks.sessions, keep } }, true);
    }
    const frame: Frame = {
      at: Number(at),
      took,
      listed,
      own: nodes.reduce((sum, node) => sum + node.sessions, 0),
      users,
      nodes,
      looked: new Map(look.flatMap((id) => (looked.has(id) ? [[id, looked.get(id)!]] : []))),
    };
    if (found) frame.sessions = found;
    if (rows) frame.userRows = rows;
    return frame;
  }

  async #ask(asks: Asks) {
    const { all, newest, users, nodes, lease, own } = this.#keys;
    const known = this.#known.living;
    const said = await this.#store.run<Answer | ['TYPE', string]>(
      frameScript,
      [all, newest, users, nodes, ...known.flatMap(([name, incarnation]) => [lease(name), own(incarnation)])],
      [MOST_NODES, ...argumentsOf(asks.sessions), ...argumentsOf(asks.users)],
    );
    if (said[0] === 'TYPE') throw wrongType(said[1] as string);
    const answer = said as Answer;
    return { answer, ...this.#known.read(known, pairs(answer[3]), answer[4]) };
  }

  /** The living ones, in one round trip. */
  async #look(ids: readonly string[]): Promise<Map<string, Session>> {
    const pages = await Promise.all(inPages(ids, PAGE).map((page) => this.#directory.getAll(page)));
    return new Map(pages.flatMap(({ sessions }) => sessions.map((session) => [session.id, session])));
  }

  /** Of each id, whether the set of all holds it. */
  async #listed(ids: readonly string[]): Promise<boolean[]> {
    if (ids.length === 0) return [];
    return (await this.#store.call<number[]>('SMISMEMBER', this.#keys.all, ...ids)).map((one) => one === 1);
  }

  /** What lives of a stretch, and where most of it is dead, of what lies around it. */
  async #found<T>(
    stretch: Stretch,
    window: Window,
    filler: Filler,
    see: (entries: readonly Entry[]) => Promise<readonly (T | undefined)[]>,
  ): Promise<Found<T>> {
    const [top = 0, total = 0, kept = -1] = stretch;
    const entries = pairs(stretch[3]);
    const living = await see(entries);
    const rows = living.filter((row) => row !== undefined);
    const ranks = living.flatMap((row, i) => (row === undefined ? [] : [top + i]));
    const { oldestFirst } = window;
    const wanted = Math.min(Math.max(1, window.rows), MOST_ROWS);
    const to = top + entries.length;
    const members = entries.map(([member]) => member);
    const filled = await filler.fill({ top, to, total, members, rows, ranks, wanted, oldestFirst, see });
    return { ...filled, total, keptAt: kept < 0 ? null : kept };
  }

  /** The living and listed ones of these. @param looked what a look at them finds, when they are being looked at */
  async #sessionsOf(
    entries: readonly Entry[],
    looked?: Promise<ReadonlyMap<string, Session>>,
  ): Promise<(Session | undefined)[]> {
    const ids = entries.map(([id]) => id);
    const [living, isListed] = await Promise.all([looked ?? this.#look(ids), this.#listed(ids)]);
    return ids.map((id, i) => (isListed[i] ? living.get(id) : undefined));
  }

  async #usersOf(entries: readonly Entry[]): Promise<(UserRow | undefined)[]> {
    const sets = await Promise.all(entries.map(([user]) => this.#someOf(user)));
    const ids = [...new Set(sets.flatMap((set) => set.ids))];
    const pages = await Promise.all(
      inPages(ids, MOST_ROWS).map((page) =>
        this.#store.call<(string | null)[]>('MGET', ...page.map(this.#keys.session)),
      ),
    );
    const values = pages.flat();
    const whose = new Map(ids.map((id, i) => [id, values[i]]));
    return entries.map(([user, score], i): UserRow | undefined => {
      const { ids: own, more } = sets[i]!;
      const sessions = own.filter((id) => whose.get(id) === user).length;
      return sessions === 0 ? undefined : { user, sessions, more, newestAt: Number(score) };
    });
  }

  /** The first members of a user's set. One that another program made something else of has none. */
  async #someOf(user: string): Promise<{ ids: string[]; more: boolean }> {
    try {
      const key = this.#keys.user(user);
      const [cursor, ids] = await this.#store.call<[string, string[]]>('SSCAN', key, 0, 'COUNT', PAGE);
      return { ids: ids.filter(isUsableId).slice(0, PAGE), more: cursor !== '0' || ids.length > PAGE };
    } catch (error) {
      if (error instanceof WssessError && error.code === 'key_type') return { ids: [], more: false };
      throw error;
    }
  }
}
