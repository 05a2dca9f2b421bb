/** What a connection is given, and how it ends. */
import type { Limits } from '../stomp/parser.ts';
import type { BackPressure } from './back-pressure.ts';
import type { Connection } from './connection.ts';
import type { Services } from './handlers.ts';
import type { Turns } from './turns.ts';

/** What a connection needs to be given, so that it knows no other part of the server. */
export interface Surroundings {
  limits: Limits;
  /** Bytes that may wait for a slow client. */
  maxBuffer: number;
  backPressure: BackPressure;
  turns: Turns;
  /** Milliseconds for CONNECT to arrive. */
  connectTimeout: number;
  services: Services;
  /** Called once when the connection ends: forget it everywhere. Resolves when that is done, never rejects. */
  forget(connection: Connection): Promise<void>;
  /** A fault of ours that must not reach the client. */
  fault(error: unknown): void;
}

/** How a connection ends: what the client is told. */
export interface Ending {
  code: number;
  /** In words, not blank: the close reason, and its first line the ERROR's message. */
  reason: string;
  /** Send an ERROR frame before the close, with this body and these headers beside message and cause. */
  error?: { body: string; headers?: Record<string, string | undefined> };
  /** Answer this receipt when everything is done, before the close. */
  receipt?: string | undefined;
}
