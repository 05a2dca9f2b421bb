/** Keys through Ink to the model and back to the screen. */
import { cleanup } from 'ink-testing-library';
import { afterEach, describe, expect, test } from 'vitest';
import { App } from '../../../src/cli/dashboard/app.tsx';
import { initialState } from '../../../src/cli/dashboard/model/state.ts';
import { createStore } from '../../../src/cli/dashboard/model/store.ts';
import type { Size } from '../../../src/cli/dashboard/screen.ts';
import { until } from '../../helpers/wait.ts';
import { inkAt } from './ink-at.tsx';

afterEach(cleanup);

const UP = '\x1b[A';
const ESC = '\x1b';

function opened(readOnly = false) {
  const store = createStore(initialState({ where: 'redis 10.0.0.5:6379', prefix: 'ws', readOnly }, { now: 0 }));
  let size: Size = { columns: 80, rows: 24 };
  let changed = () => {};
  let stopped = 0;
  const ink = inkAt(
    { columns: 200 },
    <App
      store={store}
      colour={false}
      size={() => size}
      onSize={(listener) => {
        changed = listener;
        return () => {};
      }}
      stopProcess={() => stopped++}
    />,
  );
  return {
    ...ink,
    store,
    type: async (...keys: string[]) => {
      for (const key of keys) {
        ink.stdin.write(key);
        await new Promise((resolve) => setTimeout(resolve, 20)); // an Esc is one when nothing follows it
      }
    },
    shows: (what: RegExp) =>
      until(() => ink.lines().some((line) => what.test(line)), 3000, `${what} in\n${ink.lines().join('\n')}`),
    resize(to: Size) {
      size = to;
      changed();
    },
    stopped: () => stopped,
  };
}

describe('the app', () => {
  test('is drawn at its size, and again at another one', async () => {
    const { lines, resize, shows } = opened();
    await shows(/◌ connecting/);
    expect(lines()).toHaveLength(23);
    resize({ columns: 120, rows: 40 });
    await shows(/─{60}/);
    expect(lines()).toHaveLength(39);
    resize({ columns: 20, rows: 5 });
    await shows(/needs 80/);
  });

  test('help opens, scrolls and closes', async () => {
    const { type, shows, lines } = opened();
    await type('?');
    await shows(/^ Move$/);
    await type('j', 'j', 'j');
    await until(() => !lines().some((line) => line === ' Move'), 3000);
    await type(UP, UP, UP);
    await shows(/^ Move$/);
    await type(ESC);
    await shows(/SESSION +USER/);
  });

  test('what is typed in a line is text, whatever it means elsewhere', async () => {
    const { type, shows, store } = opened();
    await type('/', 'quit?', ' 김', '\x7f', '\r');
    await shows(/\/quit\?/);
    expect(store.get().place.filter.trim()).toBe('quit?');
    expect(store.get().quit).toBe(false);
  });

  test('a name after : is completed and jumped to', async () => {
    const { type, store } = opened();
    await type(':', 'no', '\t', '\r');
    expect(store.get().place.pane).toBe('nodes');
    await type('2');
    expect(store.get().place.pane).toBe('users');
  });

  test('what is pasted is no key', async () => {
    const { type, store } = opened();
    await type('\x1b[200~', 'q:quit\r', '\x1b[201~');
    expect(store.get()).toMatchObject({ quit: false, dialog: null });
    await type('/', '\x1b[200~', 'a\nb', '\x1b[201~');
    expect(store.get().dialog).toMatchObject({ kind: 'filter', input: { text: 'a b' } });
  });

  test('Ctrl-C quits from wherever one is, Ctrl-Z asks for the shell', async () => {
    const { type, store, stopped } = opened();
    await type('/', 'abc', '\x1a');
    expect(stopped()).toBe(1);
    await type('\x03');
    expect(store.get().quit).toBe(true);
  });
});
