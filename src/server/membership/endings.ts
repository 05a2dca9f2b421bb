/** What a client is told when its session ends by somebody's will, or by what Redis says of it. */
import type { Cause } from '../../sessions/model.ts';
import type { Ended } from '../../sessions/tombstone.ts';
import type { Connection } from '../connection/connection.ts';
import type { Ending } from '../connection/surroundings.ts';
import { CLOSE, Refusal } from '../refusal.ts';

/** How a session is ended: the same whether its node is asked, or reads it when it comes back. */
interface Act {
  code: number;
  /** Where no reason was given: the reason of the close, and the body of the ERROR. */
  reason: string;
  body: string;
}

const KICKED: Act = { code: CLOSE.kicked, reason: 'kicked', body: 'This session was closed by an operator.' };
const ACTS: Partial<Record<Cause, Act>> = { kicked: KICKED };

/** The ERROR with its reason and action-id, then the close. */
export function endingOf({ cause, reason, actionId }: Ended): Ending {
  const act = ACTS[cause] ?? KICKED;
  const said = orNone(reason);
  return {
    code: act.code,
    reason: said ?? act.reason,
    error: { body: said ?? act.body, headers: { 'action-id': actionId } },
  };
}

/** A blank reason is none. */
const orNone = (reason: string | null): string | null => (reason?.trim() ? reason : null);

/** Ends an open session as a CONNECT would have been refused. */
export function endRefused(connection: Connection, { cause, code, message, detail }: Refusal): void {
  void connection.end(cause, { code, reason: message, error: { body: detail } });
}

export const tooManySessions = (most: number): Refusal =>
  new Refusal(`more than ${most} sessions of one user`, 'Disconnect others of this user first.');

export const EXPIRED: Ending = {
  code: CLOSE.expired,
  reason: 'the session expired',
  error: { body: 'The client gave no sign for too long. Connect again.' },
};

/** @param reason of who drains the node */
export const shutdown = (reason: string | null): Ending => {
  const said = orNone(reason);
  return {
    code: CLOSE.shutdown,
    reason: said ?? 'the server is shutting down',
    error: { body: said ?? 'Connect again: another node, or this one when it is back.' },
  };
};

/** Another process has the name of this node. */
export const REPLACED: Ending = {
  code: CLOSE.shutdown,
  reason: 'another server has taken the place of this one',
  error: { body: 'Connect again.' },
};

/** The id of the session is another session's by now. */
export const TAKEN: Ending = {
  code: CLOSE.tryAgain,
  reason: 'the session id belongs to another by now',
  error: { body: 'Connect again: the server draws a new id.' },
};

/** The node was away for longer than it is remembered who was ended meanwhile. */
export const AWAY: Ending = {
  code: CLOSE.tryAgain,
  reason: 'this server was away for too long',
  error: { body: 'Connect again.' },
};
