/** What a client is told of a fault: in its ERROR frame, and by the close code. */
import { WssessError } from '../../common/errors.ts';
import type { Cause } from '../../sessions/model.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import { ProtocolError } from '../stomp/protocol-error.ts';

export interface Told {
  code: number;
  cause: Cause;
  message: string;
  body: string;
  headers?: Record<string, string>;
  /** It is a fault of ours: what it was is for the log, not for the client. */
  ours?: true;
}

export function toldOf(error: unknown): Told {
  if (error instanceof ProtocolError) {
    const code = error.tooBig ? CLOSE.tooBig : CLOSE.protocol;
    return { code, cause: 'protocol_error', message: error.message, body: error.message };
  }
  if (error instanceof Refusal) {
    const body = error.detail === '' ? error.message : error.detail;
    const { code, cause, message, headers } = error;
    return { code, cause, message, body, headers };
  }
  if (error instanceof WssessError && error.http !== 500) {
    // Where Redis or the keys are, and what was said, is the operator's; the client is told when to come back.
    const body = 'A part of the server is not available at the moment. Connect again in a few seconds.';
    return { code: CLOSE.tryAgain, cause: 'closed', message: 'try again later', body, ours: true };
  }
  const body = 'A fault of the server.';
  return { code: CLOSE.internal, cause: 'closed', message: 'internal error', body, ours: true };
}
