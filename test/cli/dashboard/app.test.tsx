/** Keys to the model, and through Ink to the screen. */
import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import { cleanup } from 'ink-testing-library';
import { afterEach, describe, expect, test } from 'vitest';
import { App } from '../../../src/cli/dashboard/app.tsx';
import { keysFor } from '../../../src/cli/dashboard/keys.ts';
import { asksOf } from '../../../src/cli/dashboard/model/questions.ts';
import { initialState } from '../../../src/cli/dashboard/model/state.ts';
import { createStore, type Store } from '../../../src/cli/dashboard/model/store.ts';
import { listen } from '../../../src/cli/dashboard/screen/keyboard.ts';
import type { Size } from '../../../src/cli/dashboard/screen.ts';
import { until } from '../../helpers/wait.ts';
import { inkAt } from './ink-at.tsx';
import { session, World } from './model/world.ts';

let deaf = () => {};
afterEach(() => {
  deaf();
  cleanup();
});

const UP = '\x1b[A';
const ESC = '\x1b';

function opened(readOnly = false) {
  const store = createStore(initialState({ where: 'redis 10.0.0.5:6379', prefix: 'ws', readOnly }, { now: 0 }));
  let size: Size = { columns: 80, rows: 24 };
  let changed = () => {};
  let [stopped, keyAt] = [0, 0];
  const ink = inkAt(
    { columns: 200 },
    <App
      store={store}
      colour={false}
      keyAt={() => keyAt}
      size={() => size}
      onSize={(listener) => {
        changed = listener;
        return () => {};
      }}
    />,
  );
  const stdin = Object.assign(new EventEmitter(), { resume() {}, pause() {} });
  const press = keysFor({ store, size: () => size, stopProcess: () => void stopped++ });
  deaf = listen(stdin as unknown as ReadStream, (inputs) => {
    keyAt = performance.now();
    press(inputs);
  });
  return {
    ...ink,
    store,
    type: async (...keys: string[]) => {
      for (const key of keys) {
        stdin.emit('data', Buffer.from(key));
        await new Promise((resolve) => setTimeout(resolve, 70)); // an Esc is one when nothing follows it
      }
    },
    /** Bytes as they are, at once. */
    pieces: (bytes: Buffer) => void stdin.emit('data', bytes),
    shows: (what: RegExp) =>
      until(() => ink.lines().some((line) => what.test(line)), 3000, `${what} in\n${ink.lines().join('\n')}`),
    resize(to: Size) {
      size = to;
      changed();
    },
    stopped: () => stopped,
  };
}

/** The screen as after a frame of so many sessions, with the cursor on the first. */
function withSessions(store: Store, count: number): void {
  const world = new World();
  for (let at = 0; at < count; at++) world.add(session(`s${at}`, { ago: at }));
  const asks = asksOf(store.get());
  store.dispatch({ type: 'frame', at: Date.now(), asks, frame: world.answer(asks) });
  store.dispatch({ type: 'edge', to: 'first' });
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

  test('keys and answers that nobody asked for do nothing', async () => {
    const { type, store, shows } = opened();
    await shows(/connecting/);
    const before = store.get();
    await type('\x1b[1;5P', '\x1b]11;rgb:0000/0000/0000\x07', '\x1bK', '\x1b[200~see \x1b[36mblue\x1b[0m\x1b[201~');
    expect(store.get()).toEqual(before);
  });

  test('text that comes in pieces of bytes is text', async () => {
    const { store, pieces, type } = opened();
    await type('/');
    for (const byte of Buffer.from('김🙂')) pieces(Buffer.from([byte]));
    expect(store.get().dialog).toMatchObject({ kind: 'filter', input: { text: '김🙂' } });
  });
});

describe('where nothing can be shown', () => {
  test('nothing is done but to quit and to stop', async () => {
    const { store, type, resize, shows, stopped } = opened();
    withSessions(store, 3);
    resize({ columns: 60, rows: 12 });
    await shows(/needs 80/);
    const before = store.get();
    await type('K', '\t', '\r', ' ', 'r', '/', 'abc', '\x1b[200~text\x1b[201~');
    expect(store.get()).toEqual(before);
    await type('\x1a');
    expect(stopped()).toBe(1);
    await type('q');
    expect(store.get().quit).toBe(true);
  });

  test('also with a question open, q quits and is no text', async () => {
    const { store, type, resize } = opened();
    withSessions(store, 3);
    await type('K');
    await new Promise((resolve) => setTimeout(resolve, 100));
    resize({ columns: 60, rows: 12 });
    await type('duty', '\t', '\r', 'q');
    expect(store.get()).toMatchObject({ quit: true, dialog: { kind: 'confirm', focus: 'no', reason: { text: '' } } });
  });
});

describe('keys that no hand pressed', () => {
  test('a question is not answered by what came with the key that asked it', async () => {
    const { store, type } = opened();
    withSessions(store, 3);
    await type('K\t\r');
    expect(store.get()).toMatchObject({ work: null, dialog: { kind: 'confirm', focus: 'no' } });
    await type('\x1b');
    await type('K\x03');
    expect(store.get().quit).toBe(true);
  });

  test('nor by what comes before anybody can have read it', () => {
    const { store, pieces } = opened();
    withSessions(store, 3);
    for (const one of ['K', '\t', '\r']) pieces(Buffer.from(one));
    expect(store.get()).toMatchObject({ work: null, dialog: { kind: 'confirm', focus: 'no' } });
  });

  test('a burst moves and never acts', async () => {
    const { store, type } = opened();
    withSessions(store, 9);
    await type('refreh A');
    expect(store.get().place.pane).toBe('sessions');
    expect(store.get()).toMatchObject({ work: null, gathering: null });
    expect(store.get().marks.size).toBe(0);
    withSessions(store, 9);
    await type('jjjjjj');
    expect(store.get().sessions.cursor).toBe('s6');
    await type('     '); // the last row twice more
    expect(store.get().marks.size).toBe(3);
  });

  test('a question that is being read is not answered by one', async () => {
    const { store, type } = opened();
    withSessions(store, 3);
    await type('K');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await type('text\t\t\r');
    expect(store.get()).toMatchObject({ work: null, dialog: { kind: 'confirm', focus: 'yes' } });
  });
});

test('Redis that keeps one waiting is told before it is lost', async () => {
  const { store, shows } = opened();
  withSessions(store, 3);
  await shows(/● live/);
  await shows(/◐ no answer for 2 s/);
});
