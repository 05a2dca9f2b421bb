/** What the broker sees of a connection. */
import type { Recipient } from './copies.ts';
import type { Subscription } from './subscriptions.ts';

export interface Client extends Recipient {
  readonly id: string;
  readonly user: string;
  readonly role: string | null;
  /** So much waits for it already that what can wait elsewhere should. */
  readonly clogged: boolean;
  /** It is behind, and its senders wait for it: until when. */
  readonly waitedFor: Promise<void> | undefined;
  /** Ends it: it is behind with its acknowledgements. */
  overrun(reason: string, advice: string): void;
}

export type Sub = Subscription<Client>;

/** How senders learn that they have to wait for clients that are behind; connection/back-pressure.ts is what is behind it. */
export interface Pace {
  /** Some clients may be waited for. */
  readonly active: boolean;
  /** Does a sender's work. @returns when those whom it sent to, and who are behind now, are ready for more */
  watch<T>(work: () => T): { result: T; room: Promise<void> | undefined };
}
