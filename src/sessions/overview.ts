/**
 * What a screen shows of everything, again and again: counts, nodes, a stretch of the sessions and of the users, and
 * the sessions that are looked at. Two round trips a frame (a third for users), and no work for Redis that grows with
 * the number of sessions: ranks, ranges of scores and sizes of sets only. Nothing is written.
 */
import { WssessError } from '../common/errors.ts';
import type { Argument, Store } from '../store/store.ts';
import type { Directory } from './directory.ts';
import type { Keys } from './keys.ts';
import { KnownNodes, MOST_NODES, type NodeLoad } from './known-nodes.ts';
import { isUsableId, type Session } from './model.ts';
import { inPages } from './owners.ts';
import { frame as frameScript } from './scripts.gen.ts';
import type { Sessions } from './sessions.ts';

export type { NodeLoad };

/** A stretch of a sorted index. */
export interface Window {
  /** Rank of the first row, 0 is the newest (the oldest when `oldestFirst`). Beyond the end: the last full window. */
  top: number;
  /** At most 500. */
  rows: number;
  oldestFirst: boolean;
  /**
   * The member that must stay in sight: when `top` > 0 at the row of the window at which it stood; when `top` is 0 the
   * window stays at 0 as long as the member is within it. `score` (ms since 1970: connectedAt, newestAt) finds its place
   * when it is gone. `row` counts ranks: `ranks[i] - top` of the frame in which it was row i.
   */
  keep?: { id: string; score: number; row: number };
}

/** What a window found. */
export interface Found<T> {
  /** Where it began. */
  top: number;
  /** Entries of the index, dead ones too. */
  total: number;
  /** Rank of keep, null when it is gone or none was given. */
  keptAt: number | null;
  rows: T[];
  /** Rank of each row: entries that live no more lie between them and are left out. */
  ranks: number[];
}

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

/** Rows and ids that a frame may be asked for. */
const MOST_ROWS = 500;
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

  constructor({ store, keys, directory, nodes }: Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes'>) {
    this.#store = store;
    this.#keys = keys;
    this.#directory = directory;
    this.#known = new KnownNodes(nodes);
  }

  /**
   * Asks Redis. Nodes are remembered from frame to frame; when one is new or was started anew, this frame takes two
   * round trips more.
   * @throws WssessError when Redis fails
   */
  async frame(asks: Asks = {}): Promise<Frame> {
    const began = performance.now();
    let heard = await this.#ask(asks);
    const took = performance.now() - began;
    if (await this.#known.meet(heard.strangers)) heard = await this.#ask(asks);
    const { answer, nodes } = heard;
    const [at, listed, users, , , sessions, userRows] = answer;
    const ids = pairs(sessions[3]).map(([id]) => id);
    const look = (asks.look ?? []).slice(0, MOST_ROWS);
    const [found, isListed, rows] = await Promise.all([
      this.#look([...new Set([...ids, ...look])]),
      this.#listed(ids),
      asks.users && this.#usersOf(userRows),
    ]);
    const frame: Frame = {
      at: Number(at),
      took,
      listed,
      own: nodes.reduce((sum, node) => sum + node.sessions, 0),
      users,
      nodes,
      looked: new Map(look.flatMap((id) => (found.has(id) ? [[id, found.get(id)!]] : []))),
    };
    const living = ids.map((id, i) => (isListed[i] ? found.get(id) : undefined));
    if (asks.sessions) frame.sessions = await this.#filled(asks.sessions, stretched(sessions, living), ids.length);
    if (rows) frame.userRows = rows;
    return frame;
  }

  async #ask(asks: Asks) {
    const { all, newest, users, nodes, lease, own } = this.#keys;
    const known = this.#known.living;
    const answer = await this.#store.run<Answer>(
      frameScript,
      [all, newest, users, nodes, ...known.flatMap(([name, incarnation]) => [lease(name), own(incarnation)])],
      [MOST_NODES, ...argumentsOf(asks.sessions), ...argumentsOf(asks.users)],
    );
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

  /** Where more than half of a window is dead, one more page is read below it. */
  async #filled({ rows, oldestFirst }: Window, found: Found<Session>, read: number): Promise<Found<Session>> {
    const next = found.top + read;
    if (found.rows.length * 2 >= read || next >= found.total) return found;
    const order = oldestFirst ? [] : ['REV'];
    const ids = await this.#store.call<string[]>('ZRANGE', this.#keys.newest, next, next + PAGE - 1, ...order);
    const [living, isListed] = await Promise.all([this.#look(ids), this.#listed(ids)]);
    for (const [i, id] of ids.entries()) {
      const session = isListed[i] ? living.get(id) : undefined;
      if (!session || found.rows.length >= rows) continue;
      found.rows.push(session);
      found.ranks.push(next + i);
    }
    return found;
  }

  async #usersOf(stretch: Stretch): Promise<Found<UserRow>> {
    const entries = pairs(stretch[3]);
    const sets = await Promise.all(entries.map(([user]) => this.#someOf(user)));
    const ids = [...new Set(sets.flatMap((set) => set.ids))];
    const pages = await Promise.all(
      inPages(ids, MOST_ROWS).map((page) =>
        this.#store.call<(string | null)[]>('MGET', ...page.map(this.#keys.session)),
      ),
    );
    const values = pages.flat();
    const whose = new Map(ids.map((id, i) => [id, values[i]]));
    const rows = entries.map(([user, score], i): UserRow | undefined => {
      const { ids: own, more } = sets[i]!;
      const sessions = own.filter((id) => whose.get(id) === user).length;
      return sessions === 0 ? undefined : { user, sessions, more, newestAt: Number(score) };
    });
    return stretched(stretch, rows);
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

/** How frame.lua is told of a window. */
function argumentsOf(window: Window | undefined): Argument[] {
  if (!window) return ['', 0, 0, '', '', 0];
  const { top, rows, oldestFirst, keep } = window;
  const order = oldestFirst ? 'oldest' : 'newest';
  const bounded = Math.min(Math.max(1, rows), MOST_ROWS);
  return [order, Math.max(0, top), bounded, keep?.id ?? '', keep?.score ?? '', keep?.row ?? 0];
}

/** What a stretch of an index holds, without what lives no more. */
function stretched<T>([top = 0, total = 0, kept = -1]: Stretch, entries: readonly (T | undefined)[]): Found<T> {
  const found: Found<T> = { top, total, keptAt: kept < 0 ? null : kept, rows: [], ranks: [] };
  for (const [i, entry] of entries.entries()) {
    if (entry === undefined) continue;
    found.rows.push(entry);
    found.ranks.push(top + i);
  }
  return found;
}

/** A flat answer of a sorted set, member by member. */
function pairs(flat: readonly string[] = []): [member: string, score: string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}
