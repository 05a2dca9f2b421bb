/** How often the screen follows the state: at once when it is about to be acted on, else only now and then. */
import type { State } from './model/state.ts';
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
    let drawn = store.get();
    const draw = () => {
      clearTimeout(timer);
      timer = undefined;
      drawnAt = performance.now();
      drawn = store.get();
      changed();
    };
    const end = store.subscribe((state) => {
      const now = performance.now();
      if (now - keyAt() < ATTENTIVE || now - drawnAt > CALM || isElsewhere(drawn, state)) draw();
      else timer ??= setTimeout(draw, drawnAt + CALM - now);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  };
}

/** True when the next key would act on something else than the screen shows, however long ago the last one was. */
function isElsewhere(drawn: State, state: State): boolean {
  const tables = ['sessions', 'users', 'nodes'] as const;
  return (
    drawn.place !== state.place ||
    drawn.dialog !== state.dialog ||
    tables.some((name) => drawn[name].cursor !== state[name].cursor || drawn[name].jump !== state[name].jump)
  );
}
