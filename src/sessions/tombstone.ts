/**
 * What is left of the sessions of a node that was taken for dead. A tombstone, for the node: somebody ended it meanwhile, and
 * how; without it the node would register it again when it comes back. A session that was merely reaped (`node_lost`) has
 * none, and may return; of it a trace is left, for who kicks it until then.
 */
import { type Cause, type Details, packDetails, type Session, unpackDetails } from './model.ts';

/**
 * Milliseconds that a node may have been without its lease and still register its sessions again. Longer, and it closes
 * them: who was ended meanwhile is no longer known.
 */
export const LONGEST_ABSENCE = 7 * 24 * 3_600_000;
/** Milliseconds. One is written only after the lease was lost; so the node reads it, or has been away for too long. */
export const TOMBSTONE_TTL = LONGEST_ABSENCE + 3_600_000;

/** How a session was ended by somebody else than its node. */
export interface Ended {
  cause: Cause;
  /** For the client. */
  reason: string | null;
  actionId: string;
}

/** The owner's write was refused: somebody ended the session while its node was taken for dead. */
export class SessionEnded extends Error {
  readonly ended: Ended;

  constructor(ended: Ended) {
    super('the session was ended while this node was taken for dead');
    this.ended = ended;
  }
}

/** @param incarnation of the owner, 16 characters: only this process is meant */
export function packTombstone(incarnation: string, { cause, reason, actionId }: Ended): string {
  return incarnation + JSON.stringify({ cause, reason, action_id: actionId });
}

/** Reads what packTombstone wrote; of anything else, only that it is one. */
export function unpackTombstone(value: string): Ended {
  const text = (one: unknown): one is string => typeof one === 'string';
  let said: Record<string, unknown> = {};
  try {
    said = (JSON.parse(value.slice(16)) ?? {}) as Record<string, unknown>;
  } catch {
    // Written by hand, or by another version: the session has ended all the same.
  }
  const { cause, reason, action_id } = said;
  return {
    cause: text(cause) ? (cause as Cause) : 'kicked',
    reason: text(reason) ? reason : null,
    actionId: text(action_id) ? action_id : '',
  };
}

/** Milliseconds for which it is known whose a session was that was reaped. */
export const LOST_TTL = 3_600_000;

/** What its owner wrote down, without the agent, which takes most of the room. */
export function packLost(details: Details): string {
  return details.incarnation + packDetails({ ...details, userAgent: null });
}

/** Reads what packLost wrote: the session as it was, of which Redis holds nothing else. @returns undefined for anything else */
export function unpackLost(id: string, value: string): Session | undefined {
  const packed = value.slice(16);
  const details = unpackDetails(packed);
  return details ? { id, user: details.user, role: details.role, ttl: null, details, packed } : undefined;
}
