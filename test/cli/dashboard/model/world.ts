/** A Redis of sessions as a frame sees it, in memory; and states to begin with. */
import type { Asks } from '../../../../src/cli/dashboard/model/actions.ts';
import { asksOf } from '../../../../src/cli/dashboard/model/questions.ts';
import { reduce } from '../../../../src/cli/dashboard/model/reducer.ts';
import { initialState, type State } from '../../../../src/cli/dashboard/model/state.ts';
import type { Details, Session } from '../../../../src/sessions/model.ts';
import type { NodeInfo } from '../../../../src/sessions/nodes.ts';
import type { Found, Frame, NodeLoad, UserRow, Window } from '../../../../src/sessions/overview.ts';

export const NOW = 1_770_000_000_000;
export const SETTING = { where: '127.0.0.1:6379', prefix: 'ws', readOnly: false };

export function start(over: Partial<State> = {}): State {
  return { ...initialState(SETTING, { now: NOW }), height: 5, ...over };
}

/** A session of node `n1`; `connectedAt` in seconds before NOW. */
export function session(
  id: string,
  { ago = 60, ...over }: Partial<Omit<Session, 'details'> & Omit<Details, 'ttl'>> & { ago?: number } = {},
): Session {
  const details: Details = {
    node: 'n1',
    incarnation: 'incarnation-0001',
    user: 'kim',
    role: 'AGENT',
    ip: '10.1.2.3',
    port: 40_001,
    connectedAt: NOW - ago * 1000,
    version: '1.2',
    userAgent: 'stompjs',
    ttl: 86_400_000,
  };
  const { user = 'kim', role = 'AGENT', ttl = 86_400_000, node, incarnation, ip, userAgent, connectedAt } = over;
  const given = Object.entries({ node, incarnation, ip, userAgent, connectedAt }).filter(
    ([, one]) => one !== undefined,
  );
  return { id, user, role, ttl, details: { ...details, user, role, ...Object.fromEntries(given) }, packed: id };
}

/** A session that no node wrote. */
export function foreignSession(id: string, user = 'stranger'): Session {
  return { id, user, role: null, ttl: 3_600_000, details: null, packed: '' };
}

/** What a node says of its load. */
type Load = Partial<
  Record<'connects' | 'disconnects' | 'kicks' | 'messages_in' | 'messages_out' | 'cpu', number | null>
>;

export function node(name = 'n1', over: Partial<NodeLoad> & Load & Partial<NodeInfo> = {}): NodeLoad {
  const { alive = true, seenAt = NOW, sessions = 3, ...info } = over;
  const nothing = { connects: null, disconnects: null, kicks: null, messages_in: null, messages_out: null };
  const said = { name, incarnation: 'incarnation-0001', url: 'http://127.0.0.1:28070', host: 'box', pid: 1 };
  const rest = { version: '0.1.0', started_at: new Date(NOW - 60_000).toISOString(), loop_delay_ms: 12, cpu: 0.04 };
  const load = { ...nothing, ...said, ...rest, rss: 118_000_000, sessions, ...info };
  return { name, alive, seenAt, sessions: alive ? sessions : 0, info: alive ? load : null };
}

/** The sessions of a Redis; what frame() answers follows the contract of sessions/overview.ts. */
export class World {
  sessions: Session[] = [];
  /** Ids in the index whose session is gone. */
  dead = new Set<string>();
  nodes: NodeLoad[] = [node()];
  users: UserRow[] = [];
  at = NOW;

  add(...sessions: Session[]): void {
    this.sessions.push(...sessions);
  }

  remove(...ids: string[]): void {
    this.sessions = this.sessions.filter(({ id }) => !ids.includes(id));
  }

  answer({ sessions, users, look = [] }: Omit<Asks, 'view'>): Frame {
    const living = this.sessions.filter(({ id }) => !this.dead.has(id));
    const own = this.sessions.filter(({ details }) => details);
    const frame: Frame = {
      at: this.at,
      took: 0.4,
      listed: living.length,
      own: living.filter(({ details }) => details).length,
      users: new Set(living.map(({ user }) => user)).size,
      nodes: this.nodes,
      looked: new Map(living.filter(({ id }) => look.includes(id)).map((one) => [one.id, one])),
    };
    const isAlive = ({ id }: Session) => !this.dead.has(id);
    if (sessions) {
      frame.sessions = found(
        own,
        sessions,
        ({ id }) => id,
        ({ details }) => details!.connectedAt,
        isAlive,
      );
    }
    if (users) {
      frame.userRows = found(
        this.users,
        users,
        ({ user }) => user,
        ({ newestAt }) => newestAt,
        () => true,
      );
    }
    return frame;
  }
}

function found<T>(
  all: readonly T[],
  { top, rows, oldestFirst, keep }: Window,
  keyOf: (one: T) => string,
  scoreOf: (one: T) => number,
  isAlive: (one: T) => boolean,
): Found<T> {
  const sign = oldestFirst ? 1 : -1;
  const before = (a: T, b: T) => {
    const by = scoreOf(a) - scoreOf(b) || (keyOf(a) < keyOf(b) ? -1 : 1);
    return by * sign;
  };
  const order = all.toSorted(before);
  const at = keep ? order.findIndex((one) => keyOf(one) === keep.id) : -1;
  let from = top;
  if (keep) {
    const place = at >= 0 ? at : order.filter((one) => (scoreOf(one) - keep.score) * sign < 0).length;
    if (top > 0 || place >= rows) from = place - keep.row;
  }
  from = Math.max(0, Math.min(from, order.length - rows));
  const window = order.slice(from, from + rows).map((one, i) => ({ one, rank: from + i }));
  const living = window.filter(({ one }) => isAlive(one));
  return {
    top: from,
    to: from + window.length,
    total: order.length,
    keptAt: at < 0 ? null : at,
    rows: living.map(({ one }) => one),
    ranks: living.map(({ rank }) => rank),
  };
}

/** The state after a frame that was asked for just now. */
export function afterFrame(state: State, world: World, at = state.now): State {
  const asks = asksOf(state);
  return reduce(state, { type: 'frame', at, asks, frame: world.answer(asks) });
}

/** A world of so many sessions, `s000` the newest, and the state after its first frames. */
export function opened(count: number, over: Partial<State> = {}): { world: World; state: State } {
  const world = new World();
  for (let i = 0; i < count; i++) world.add(session(`s${String(i).padStart(3, '0')}`, { ago: 60 + i }));
  return { world, state: afterFrame(start(over), world) };
}
