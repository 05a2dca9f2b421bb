/** Holds the state and tells who listens that it is another one. */
import type { Action } from './actions.ts';
import { reduce } from './reducer.ts';
import type { State } from './state.ts';

/** Told after the state has changed, of what changed it. */
export type Listener = (state: State, action: Action) => void;

export interface Store {
  get(): State;
  dispatch(action: Action): void;
  /** @returns ends the listening */
  subscribe(listener: Listener): () => void;
}

export function createStore(initial: State): Store {
  let state = initial;
  const listeners = new Set<Listener>();
  return {
    get: () => state,
    dispatch(action) {
      const next = reduce(state, action);
      if (next === state) return;
      state = next;
      for (const listener of [...listeners]) listener(next, action);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
