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

/** The client broke the rules of WebSocket (RFC 6455). @param code what it is closed with */
export function faultOf(code: number): Refusal {
  const [message, advice] = BROKEN[code] ?? NO_WEBSOCKET;
  return new Refusal(message, advice, code);
}

const NO_WEBSOCKET = [
  'A WebSocket frame breaks RFC 6455',
  'The bytes are not as a WebSocket library sends them: look at the library, and at proxies on the way.',
] as const;
const BROKEN: Record<number, readonly [message: string, advice: string]> = {
  [CLOSE.notUtf8]: [
    'A WebSocket text message is not UTF-8 (RFC 6455, 8.1)',
    'Send text as UTF-8, and a frame whose body is not text as a binary message.',
  ],
  [CLOSE.policy]: ['The WebSocket message has too many fragments', 'Send it in fewer and larger ones.'],
  [CLOSE.tooBig]: ['The WebSocket message is larger than this server takes', 'Send less in one message.'],
};

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
