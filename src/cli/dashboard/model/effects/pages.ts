/** How an effect reads many sessions: paced, given up when it is no longer wanted, and nothing is remembered. */
import { WssessError } from '../../../../common/errors.ts';
import { pause } from '../../../../common/pause.ts';
import type { Session } from '../../../../sessions/model.ts';
import type { Sessions } from '../../../../sessions/sessions.ts';
import type { Context } from './context.ts';

/** A walk rests as long as it works: Redis and the screen have the other half. */
const REST = 1;

/** Live sessions, and how many entries were looked at for them. While the set grows, one may come twice. */
export interface SessionPage {
  sessions: readonly Session[];
  scanned: number;
}

/** All sessions page by page; waits while keys are pressed. Ends early when `signal` says so. */
export async function* pages(
  { directory }: Pick<Sessions, 'directory'>,
  quiet: Context['quiet'],
  signal: AbortSignal,
): AsyncGenerator<SessionPage> {
  await quiet(signal);
  let began = performance.now();
  if (signal.aborted) return;
  // At a million sessions, the ids that were seen would be the most of it.
  for await (const page of directory.walk({ remember: false })) {
    await pause(REST * (performance.now() - began), signal);
    if (signal.aborted) return;
    yield page;
    await quiet(signal);
    if (signal.aborted) return;
    began = performance.now();
  }
}

/** The sessions of a user; none where another program keeps something else under the key of that name. */
export async function sessionsOf({ directory }: Pick<Sessions, 'directory'>, user: string): Promise<Session[]> {
  try {
    return (await directory.sessionsOf(user)).sessions;
  } catch (error) {
    if (error instanceof WssessError && error.code === 'key_type') return [];
    throw error;
  }
}
