/** The arithmetic of 1.1 and 1.2 "Heart-beating"; timers are the connection's. */

import { ProtocolError, quote } from './protocol-error.ts';

/** Milliseconds between heart-beats each way, seen from one side; 0 is off. */
export interface HeartBeat {
  send: number;
  receive: number;
}

/**
 * Reads the `heart-beat` header of CONNECT; without one it is `0,0`. Milliseconds, at most Number.MAX_SAFE_INTEGER.
 * @throws ProtocolError when it isn't two non-negative integers with a comma between.
 */
export function parseHeartBeat(header: string | undefined): HeartBeat {
  if (header === undefined) return { send: 0, receive: 0 };
  const [, send, receive] = /^([0-9]+),([0-9]+)$/.exec(header) ?? [];
  if (send === undefined || receive === undefined) {
    throw new ProtocolError(`The heart-beat header must be two integers like 10000,10000, not ${quote(header)}`);
  }
  return { send: milliseconds(send), receive: milliseconds(receive) };
}

/**
 * What this side does, given what each side can and wants: send every `send` ms, expect something within `receive` ms.
 * The larger of both wishes wins, each way apart; 0 on either side turns that way off.
 */
export function agree(ours: HeartBeat, theirs: HeartBeat): HeartBeat {
  return { send: larger(ours.send, theirs.receive), receive: larger(ours.receive, theirs.send) };
}

function larger(one: number, other: number): number {
  return one === 0 || other === 0 ? 0 : Math.max(one, other);
}

function milliseconds(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
