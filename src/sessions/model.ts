/** What a session, a node and a cause are. Types and pure functions, no I/O. */

/** Why a session ended. */
export type Cause =
  | 'client'
  | 'closed'
  | 'heartbeat'
  | 'expired'
  | 'token_expired'
  | 'kicked'
  | 'protocol_error'
  | 'slow_consumer'
  | 'shutdown'
  | 'node_lost';

/** What the owning node wrote down at CONNECT. */
export interface Details {
  node: string;
  incarnation: string;
  user: string;
  role: string | null;
  ip: string;
  port: number;
  /** Milliseconds since 1970. */
  connectedAt: number;
  /** STOMP version, like `1.2`. */
  version: string;
  /** As the client sent it, cut at 200 bytes. */
  userAgent: string | null;
  /** Milliseconds: the TTL that this session is registered and refreshed with. */
  ttl: number;
}

/** A live session as Redis knows it. */
export interface Session {
  id: string;
  /** The user that the session key names. */
  user: string;
  role: string | null;
  /** Milliseconds that the session key has left; null when it has no end. */
  ttl: number | null;
  /** null for a foreign session: one that another program wrote. */
  details: Details | null;
  /** The details as they are in Redis, for scripts that compare; '' for a foreign session. */
  packed: string;
}

/**
 * True when the session key names another user than the owner wrote down. Of a node that lives it is the node's all the same,
 * given to that user by another program; once the node is gone it is that program's, under an id that was used again.
 */
export function isOfAnother({ user, details }: Pick<Session, 'user' | 'details'>): boolean {
  return details !== null && user !== details.user;
}

/** What only the owning node knows of its session, asked for when needed. */
export interface Live {
  /** Milliseconds since the client's last sign. */
  idle: number;
  /** How many. */
  subscriptions: number;
  /** The first of their destinations. */
  destinations: string[];
  recvCount: number;
  sendCount: number;
  recvOctets: number;
  sendOctets: number;
}

/** A session on every surface: the published names. Times are RFC 3339, durations seconds. */
export interface Row {
  session_id: string;
  user: string;
  role: string | null;
  node: string | null;
  ip: string | null;
  port: number | null;
  connected_at: string | null;
  idle: number | null;
  ttl: number | null;
  user_agent: string | null;
  version: string | null;
  subscriptions: number | null;
  rooms: string[];
  recv_cnt: number | null;
  send_cnt: number | null;
  recv_oct: number | null;
  send_oct: number | null;
  /** Why it ended: null while it lives. */
  cause: Cause | null;
}

/** The details as one string: a JSON array, which Redis keeps in half the bytes of a hash. */
export function packDetails(d: Details): string {
  return JSON.stringify([
    d.node,
    d.incarnation,
    d.user,
    d.role,
    d.ip,
    d.port,
    d.connectedAt,
    d.version,
    d.userAgent,
    d.ttl,
  ]);
}

/** Milliseconds since 1970 of the last time that a Date can hold. */
const LAST_TIME = 8.64e15;
/** Scripts compare the first 16 bytes of a lease with it. */
const INCARNATION = /^[A-Za-z0-9_-]{16}$/;

/**
 * Reads what packDetails wrote; null for anything else, so that a key written by hand harms nobody. No figure is taken
 * that no node writes: `wssess doctor --fix` has the owner write such details again.
 */
export function unpackDetails(packed: string): Details | null {
  let list: unknown;
  try {
    list = JSON.parse(packed);
  } catch {
    return null;
  }
  if (!Array.isArray(list)) return null;
  const [node, incarnation, user, role, ip, port, connectedAt, version, userAgent, ttl] = list as unknown[];
  const text = (value: unknown): value is string => typeof value === 'string';
  const textOrNull = (value: unknown): value is string | null => value === null || text(value);
  const whole = (value: unknown, least: number, most: number): value is number =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
  if (!(text(node) && text(incarnation) && INCARNATION.test(incarnation) && text(user) && textOrNull(role)))
    return null;
  if (!(text(ip) && whole(port, 0, 65_535) && whole(connectedAt, 0, LAST_TIME))) return null;
  if (!(text(version) && textOrNull(userAgent) && whole(ttl, 1, LAST_TIME))) return null;
  return { node, incarnation, user, role, ip, port, connectedAt, version, userAgent, ttl };
}

/** The published row of a session; what only its node knows is null when it wasn't asked or didn't answer. */
export function toRow(session: Session, live?: Live): Row {
  const { details } = session;
  return {
    session_id: session.id,
    user: session.user,
    role: session.role,
    node: details?.node ?? null,
    ip: details?.ip ?? null,
    port: details?.port ?? null,
    connected_at: details ? new Date(details.connectedAt).toISOString() : null,
    idle: live ? Math.floor(live.idle / 1000) : null,
    ttl: session.ttl === null ? null : Math.round(session.ttl / 1000),
    user_agent: details?.userAgent ?? null,
    version: details?.version ?? null,
    subscriptions: live?.subscriptions ?? null,
    rooms: [],
    recv_cnt: live?.recvCount ?? null,
    send_cnt: live?.sendCount ?? null,
    recv_oct: live?.recvOctets ?? null,
    send_oct: live?.sendOctets ?? null,
    cause: null,
  };
}

/** Longest session id that can be a foreign one's, in bytes. */
const MAX_ID_BYTES = 512;

/**
 * True when an id found in a set can be shown and acted on. One with a colon would name another family's key; one that
 * isn't UTF-8 (it arrives with U+FFFD) can't be told from others.
 */
export function isUsableId(id: string): boolean {
  return id !== '' && !id.includes(':') && !id.includes('\ufffd') && Buffer.byteLength(id) <= MAX_ID_BYTES;
}
