/** What is done to sessions, and what became of it. Types. */
import type { Outcome } from '../../../sessions/kick.ts';
import type { Session } from '../../../sessions/model.ts';
import type { ActName } from './dialog.ts';

/** What became of one session: a kick's outcome, or a refresh's. */
export type ActOutcome = Outcome | 'refreshed' | 'failed';

/** What became of a session, and when: milliseconds since 1970, local clock. */
export interface Tag {
  outcome: ActOutcome;
  at: number;
}

/** Something that is being done, or was done last, to sessions. */
export interface Work {
  /** Counts the acts of this dashboard. */
  serial: number;
  /** As the nodes are told; null before the first page. */
  actionId: string | null;
  act: ActName;
  targets: readonly Session[];
  /** Told to the client; kick only. */
  reason: string | null;
  /** `stopping`: no further page is begun. */
  phase: 'running' | 'stopping' | 'done';
  /** By session id. A target without an entry has not been acted on. */
  outcomes: ReadonlyMap<string, ActOutcome>;
  /** Why it ended before its end: Redis failed. */
  fault: string | null;
}
