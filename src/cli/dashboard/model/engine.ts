/** Runs all effects of a dashboard: what the state asks for is done, and what comes of it is told to the store. */

import { pause } from '../../../common/pause.ts';
import type { Sessions } from '../../../sessions/sessions.ts';
import { act } from './effects/acting.ts';
import type { Context } from './effects/context.ts';
import { learn } from './effects/facts.ts';
import { gatherAll } from './effects/gatherer.ts';
import { poll } from './effects/poller.ts';
import { scan } from './effects/scanner.ts';
import { surveyAll } from './effects/surveyor.ts';
import { isIntent } from './reducer.ts';
import type { Store } from './store.ts';

/** Milliseconds after a key press in which nothing that takes long goes on. */
const QUIET = 150;

export interface EngineOptions {
  store: Store;
  sessions: Sessions;
  /** Milliseconds: what a foreign session is refreshed with. */
  foreignTtl: number;
  /** Ends it. */
  signal: AbortSignal;
}

/**
 * Starts. `done` resolves after `signal`, when nothing is under way any more: a command that Redis doesn't answer is
 * waited for until its time-out, unless the connection is closed.
 * @returns `done` rejects at a fault of ours, after everything else has ended
 */
export function startEngine({ store, sessions, foreignTtl, signal }: EngineOptions): { done: Promise<void> } {
  const end = new AbortController();
  const stop = () => end.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  let pressedAt = Number.NEGATIVE_INFINITY;
  const unsubscribe = store.subscribe((_, action) => {
    if (isIntent(action)) pressedAt = performance.now();
  });
  const context: Context = {
    store,
    sessions,
    overview: sessions.overview,
    foreignTtl,
    signal: end.signal,
    async quiet(until) {
      for (;;) {
        const left = pressedAt + QUIET - performance.now();
        if (!(left > 0) || until.aborted) return;
        await pause(left, until);
      }
    },
  };
  const effects = [poll, scan, learn, surveyAll, gatherAll, act].map(async (effect) => {
    try {
      await effect(context);
    } finally {
      stop(); // one that fails ends the others
    }
  });
  const done = Promise.allSettled(effects).then((results) => {
    signal.removeEventListener('abort', stop);
    unsubscribe();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  });
  return { done };
}
