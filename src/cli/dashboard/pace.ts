/** How often the screen follows the state: at once while somebody presses keys, else only now and then. */
import type { Store } from './model/store.ts';

/** Milliseconds after a key in which whatever comes is an answer to it. */
const ATTENTIVE = 500;
/** Milliseconds between two drawings while nobody presses a key: several things come with each frame of Redis. */
const CALM = 250;

/** A subscription for React that is told so. @param keyAt when a key was pressed last, as performance.now() counts */
export function paced(store: Store, keyAt: () => number): (changed: () => void) => () => void {
  return (changed) => {
    let timer: NodeJS.Timeout | undefined;
    let drawnAt = 0;
    const draw = () => {
      clearTimeout(timer);
      timer = undefined;
      drawnAt = performance.now();
      changed();
    };
    const end = store.subscribe(() => {
      const now = performance.now();
      if (now - keyAt() < ATTENTIVE || now - drawnAt > CALM) draw();
      else timer ??= setTimeout(draw, drawnAt + CALM - now);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  };
}
