/**
 * The peer broke the protocol. The message is one line, fit for the `message` header of the ERROR frame; after that frame
 * the connection is closed (1.2 "ERROR").
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** A limit was passed (1.2 "Size Limits"): close with 1009, else with 1002. */
  readonly tooBig: boolean;
  /** The `receipt` header of the frame at fault, if it was read before the fault, for `receipt-id` in the ERROR. */
  receipt?: string;

  constructor(message: string, tooBig = false) {
    super(message);
    this.tooBig = tooBig;
  }
}

/** What a client sent, safe to show in a message: quoted, escaped, at most 64 characters of it. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
