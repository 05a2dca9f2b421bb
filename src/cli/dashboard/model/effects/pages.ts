/** A walk of all sessions that remembers nothing: at a million of them, the ids that were seen would be the most of it. */
import { isUsableId, type Session } from '../../../../sessions/model.ts';
import { inPages } from '../../../../sessions/owners.ts';
import type { Sessions } from '../../../../sessions/sessions.ts';
import { pause } from './bell.ts';
import type { Context } from './context.ts';

/** Ids a page: 100 block Redis for less than a millisecond. */
const PAGE = 100;
/** A walk rests as long as it works: Redis and the screen have the other half. */
const REST = 1;

/** Live sessions, and how many entries were looked at for them. While the set grows, one may come twice. */
export interface SessionPage {
  sessions: readonly Session[];
  scanned: number;
}

/** Page by page, paced; waits while keys are pressed. Ends early when `signal` says so. */
export async function* pages(
  { store, keys, directory }: Pick<Sessions, 'store' | 'keys' | 'directory'>,
  quiet: Context['quiet'],
  signal: AbortSignal,
): AsyncGenerator<SessionPage> {
  let cursor = '0';
  do {
    await quiet(signal);
    if (signal.aborted) return;
    const [next, ids] = await timed(signal, () =>
      store.call<[string, string[]]>('SSCAN', keys.all, cursor, 'COUNT', PAGE),
    );
    cursor = next;
    // A small set comes whole, whatever COUNT says.
    for (const some of inPages(ids, PAGE)) {
      if (signal.aborted) return;
      const { sessions } = await timed(signal, () => directory.getAll(some.filter(isUsableId)));
      yield { sessions, scanned: some.length };
    }
  } while (cursor !== '0' && !signal.aborted);
}

async function timed<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  await pause(REST * (performance.now() - began), signal);
  return result;
}
