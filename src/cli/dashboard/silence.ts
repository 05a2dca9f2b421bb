/** Whether Redis keeps one waiting: told before it counts as lost, since what is shown ages meanwhile. */
import type { State } from './model/state.ts';

/** Milliseconds without an answer that are worth a word: frames come twice a second. */
const SHORTEST = 1500;
/** A slow Redis is asked less often: so many times what it takes are no silence. */
const PAUSES = 6;
const LOOK_EVERY = 500;

/** Whole seconds for which Redis has not answered while it should have; 0: all is well, or it is said elsewhere. */
export function silenceOf({ link, answeredAt }: State, now: number): number {
  if (link.state !== 'live' && link.state !== 'slow') return 0;
  const silent = now - answeredAt;
  return silent < Math.max(SHORTEST, PAUSES * link.took) ? 0 : Math.round(silent / 1000);
}

/** A subscription for React: nothing happens in a silence that would have it drawn. */
export function onSilence(changed: () => void): () => void {
  const timer = setInterval(changed, LOOK_EVERY);
  return () => clearInterval(timer);
}
