/** Opens the dashboard on a terminal, until it is quit. */
import type { ReadStream, WriteStream } from 'node:tty';
import { render } from 'ink';
import type { Sessions } from '../../sessions/sessions.ts';
import { App } from './app.tsx';
import { keysFor } from './keys.ts';
import { startEngine } from './model/engine.ts';
import { initialState, type Setting } from './model/state.ts';
import { createStore, type Store } from './model/store.ts';
import { Canvas } from './screen/canvas.ts';
import { listen } from './screen/keyboard.ts';
import { type Held, hold } from './screen/terminal.ts';
import { tableHeight } from './screen.ts';

export interface DashboardOptions {
  sessions: Sessions;
  setting: Setting;
  /** Milliseconds: what a foreign session is refreshed with. */
  foreignTtl: number;
  /** The filter to begin with. */
  filter: string;
  colour: boolean;
  stdin: ReadStream;
  stdout: WriteStream;
  /** Ends it, as `q` does. */
  over: AbortSignal;
}

/** @returns when the terminal is given back */
export async function openDashboard(options: DashboardOptions): Promise<void> {
  const { sessions, setting, foreignTtl, filter, colour, stdin, stdout, over } = options;
  const store = createStore(initialState(setting, { now: Date.now(), filter }));
  const left = new AbortController();
  const canvas = new Canvas(stdout);
  const held = hold({ stdin, stdout }, { left: () => canvas.pause(), again: () => canvas.again() });
  canvas.onSize(() => store.dispatch({ type: 'size', height: tableHeight(canvas.size()) }));
  store.dispatch({ type: 'size', height: tableHeight(canvas.size()) });
  const engine = startEngine({ store, sessions, foreignTtl, signal: left.signal });
  try {
    await shown(store, canvas, held, { stdin, colour, over, engine: engine.done });
  } finally {
    canvas.close();
    held.leave();
    left.abort();
    await engine.done.catch(() => {});
  }
}

interface Shown {
  stdin: ReadStream;
  colour: boolean;
  over: AbortSignal;
  engine: Promise<void>;
}

/** Draws until it is quit, is over, or something failed. */
async function shown(store: Store, canvas: Canvas, held: Held, { stdin, colour, over, engine }: Shown): Promise<void> {
  let keyAt = 0;
  const size = () => canvas.size();
  const press = keysFor({ store, size, stopProcess: held.stop });
  const keyOf = () => keyAt;
  const app = (
    <App store={store} colour={colour} keyAt={keyOf} size={size} onSize={(changed) => canvas.onSize(changed)} />
  );
  // `debug`: Ink hands over each frame whole, and the painter sends what changed. Its own writer moves by relative steps,
  // and wipes the scrollback when the window becomes smaller than the last frame.
  const ink = render(app, {
    stdout: canvas as unknown as WriteStream,
    stdin, // which it leaves alone
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const deaf = listen(stdin, (inputs) => {
    keyAt = performance.now();
    press(inputs);
  });
  const quit = new Promise<void>((resolve) => {
    const look = () => {
      if (store.get().quit || over.aborted) resolve();
    };
    store.subscribe(look);
    over.addEventListener('abort', look);
    // The terminal is gone, by a word or without one.
    process.once('SIGHUP', resolve);
    stdin.once('end', resolve);
    look();
  });
  try {
    await Promise.race([quit, ink.waitUntilExit(), engine.then(() => quit)]);
  } finally {
    deaf();
    canvas.pause(); // Ink says farewell with a last frame
    ink.unmount();
  }
}
