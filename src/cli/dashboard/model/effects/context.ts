/** What every effect is given. */
import { WssessError } from '../../../../common/errors.ts';
import type { Overview } from '../../../../sessions/overview.ts';
import type { Sessions } from '../../../../sessions/sessions.ts';
import type { Store } from '../store.ts';

export interface Context {
  store: Store;
  sessions: Sessions;
  overview: Pick<Overview, 'frame'>;
  /** Milliseconds: what a foreign session is refreshed with. */
  foreignTtl: number;
  /** Ends everything. */
  signal: AbortSignal;
  /** Resolves when no key was pressed for a moment: what takes long gives way to the operator. */
  quiet(signal: AbortSignal): Promise<void>;
}

/** @throws what is not a fault of Redis or of what it was asked */
export function expected(error: unknown): WssessError {
  if (error instanceof WssessError) return error;
  throw error;
}
