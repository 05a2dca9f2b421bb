/** Asks Redis for what the screen shows: two frames a second, and at once when a key leads to rows that aren't at hand. */
import type { Frame } from '../../../../sessions/overview.ts';
import { asksOf, isUrgent } from '../questions.ts';
import { isIntent } from '../reducer.ts';
import { Bell } from './bell.ts';
import { type Context, expected } from './context.ts';

/** Milliseconds between frames. */
const FRAME_EVERY = 500;
/** The next frame comes not before so many times what the last one took: a slow Redis is asked less. */
const SLOWDOWN = 4;
/** Milliseconds at most between frames, and between attempts while Redis is away. */
const LONGEST = 10_000;
const RETRY = 1000;
/** Milliseconds between what is told of an answer that does not come. */
const TICK = 1000;
/** Frames without a pause that one key press may bring: one for it, one for what had begun before it. */
const HURRIED = 2;

/** Never two frames at a time. Goes on after faults until `signal`. */
export async function poll(context: Context): Promise<void> {
  const { store, overview, signal } = context;
  const bell = new Bell(signal);
  let hurried = 0;
  const end = store.subscribe((state, action) => {
    if (!isIntent(action) && action.type !== 'size') return;
    hurried = HURRIED;
    if (isUrgent(state)) bell.ring();
  });
  try {
    while (!signal.aborted) {
      if (hurried > 0) hurried--;
      const began = performance.now();
      const asks = asksOf(store.get());
      const answer = await ticking(context, () => overview.frame(asks).catch(expected));
      if (signal.aborted) return;
      const took = performance.now() - began;
      if (answer instanceof Error) {
        store.dispatch({ type: 'fault', at: Date.now(), why: answer.message, advice: answer.advice });
        await bell.wait(RETRY);
      } else {
        const frame: Frame = answer;
        store.dispatch({ type: 'frame', at: Date.now(), asks, frame });
        if (hurried > 0 && isUrgent(store.get())) continue;
        await bell.wait(Math.min(LONGEST, Math.max(FRAME_EVERY - took, SLOWDOWN * took)));
      }
    }
  } finally {
    end();
  }
}

/** Tells each second that time has passed: how long the answer is waited for is seen by that. */
async function ticking<T>({ store, signal }: Context, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    if (!signal.aborted) store.dispatch({ type: 'tick', at: Date.now() });
  }, TICK);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
