/** Collects all sessions that match, for `A`: bounded, with its progress told, given up when it is no longer wanted. */
import type { Session } from '../../../../sessions/model.ts';
import { questionOf } from '../questions.ts';
import { MOST_MARKS } from '../reduce/marks.ts';
import { Bell } from './bell.ts';
import { type Context, expected } from './context.ts';
import { pages, sessionsOf } from './pages.ts';

/** Milliseconds between what is told. */
const TELL_EVERY = 250;

/** Until `signal`. */
export async function gatherAll(context: Context): Promise<void> {
  const { store, signal } = context;
  const bell = new Bell(signal);
  let running: { question: string; end: AbortController } | undefined;
  const giveUp = () => running?.end.abort();
  const unsubscribe = store.subscribe(({ gathering }) => {
    if (running && running.question !== gathering?.question) giveUp();
    else if (gathering && !running) bell.ring();
  });
  signal.addEventListener('abort', giveUp);
  try {
    while (!signal.aborted) {
      const { gathering } = store.get();
      if (!gathering) {
        await bell.wait();
        continue;
      }
      const { question } = gathering;
      const end = new AbortController();
      running = { question, end };
      const found = await gather(context, question, end.signal).catch(expected);
      running = undefined;
      if (end.signal.aborted) continue;
      store.dispatch({ type: 'gathered', question, sessions: found instanceof Error ? [] : found });
      if (found instanceof Error) {
        store.dispatch({ type: 'note', text: `nothing more was marked: ${found.message}`, tone: 'bad' });
      }
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
    unsubscribe();
  }
}

/** @returns null when it is more than can be marked */
async function gather(context: Context, question: string, signal: AbortSignal): Promise<readonly Session[] | null> {
  const { store, sessions, quiet } = context;
  const { filter } = questionOf(store.get());
  const found = new Map<string, Session>();
  const add = (some: readonly Session[]) => {
    for (const session of some) if (filter.fits(session)) found.set(session.id, session);
  };
  if (filter.user !== null) add(await sessionsOf(sessions, filter.user));
  else {
    let [scanned, toldAt] = [0, 0];
    for await (const page of pages(sessions, quiet, signal)) {
      scanned += page.scanned;
      add(page.sessions);
      if (found.size > MOST_MARKS) return null;
      if (performance.now() - toldAt < TELL_EVERY || signal.aborted) continue;
      toldAt = performance.now();
      store.dispatch({ type: 'gathering', question, scanned, found: found.size });
    }
  }
  return found.size > MOST_MARKS ? null : [...found.values()];
}
