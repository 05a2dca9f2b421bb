/** How a connection is ended: the close codes, and what a client is told of a frame that can't be served. */
import type { Cause } from '../sessions/model.ts';

/** Close codes: RFC 6455, 7.4.1, the IANA registry (1013), and wssess's own from 4001. */
export const CLOSE = {
  normal: 1000,
  shutdown: 1001,
  protocol: 1002,
  notUtf8: 1007,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  tryAgain: 1013,
  kicked: 4001,
  tokenExpired: 4004,
  expired: 4005,
} as const;

/** A frame that can't be served: the client gets an ERROR, then the close. */
export class Refusal extends Error {
  readonly code: number;
  /** The body of the ERROR frame: what to do about it. */
  readonly detail: string;
  /** More headers of the ERROR frame. */
  readonly headers: Record<string, string>;
  /** Why the session ends. */
  override readonly cause: Cause;

  constructor(
    message: string,
    detail = '',
    code: number = CLOSE.policy,
    headers: Record<string, string> = {},
    cause: Cause = 'protocol_error',
  ) {
    super(message);
    this.cause = cause;
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }
}
