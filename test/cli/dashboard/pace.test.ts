/** When the screen follows the state. */
import { expect, test } from 'vitest';
import type { State } from '../../../src/cli/dashboard/model/state.ts';
import type { Listener, Store } from '../../../src/cli/dashboard/model/store.ts';
import { paced } from '../../../src/cli/dashboard/pace.ts';
import { until } from '../../helpers/wait.ts';
import { start } from './model/world.ts';

/** A screen, long after the last key, that has just been drawn. */
function opened() {
  let state = start();
  let listener: Listener = () => {};
  let drawn: State | undefined;
  const store: Store = {
    get: () => state,
    dispatch: () => {},
    subscribe(told) {
      listener = told;
      return () => {};
    },
  };
  const end = paced(
    store,
    () => Number.NEGATIVE_INFINITY,
  )(() => {
    drawn = state;
  });
  const set = (some: Partial<State>) => {
    state = { ...state, ...some };
    listener(state, { type: 'tick', at: 0 });
  };
  set({ now: 1 });
  return { set, end, state: () => state, isDrawn: () => drawn === state };
}

test('figures wait, and come by themselves', async () => {
  const { set, end, isDrawn } = opened();
  set({ now: 2 });
  expect(isDrawn()).toBe(false);
  await until(isDrawn, 2000, 'it to be drawn');
  end();
});

test.each<[string, (state: State) => Partial<State>]>([
  ['the cursor on another row', ({ sessions }) => ({ sessions: { ...sessions, cursor: 's7' } })],
  ['a jump that is awaited', ({ users }) => ({ users: { ...users, jump: { rank: 9, row: 1 } } })],
  ['another place', ({ place }) => ({ place: { ...place, pane: 'users' } })],
  ['a dialog', () => ({ dialog: { kind: 'help', first: 0 } })],
])('%s is drawn at once, however long ago the last key was', (_, some) => {
  const { set, end, state, isDrawn } = opened();
  set(some(state()));
  expect(isDrawn()).toBe(true);
  end();
});
