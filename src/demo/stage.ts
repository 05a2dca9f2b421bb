/** What the crowd stands on: a store, the session server on it. Whatever is started here ends here, on errors too. */
import { read, type SettingName } from '../common/settings.ts';
import type { ServerOptions } from '../server/options.ts';
import { makeLog, Server, serverOptions } from '../server/server.ts';
import { openSessions, type Sessions } from '../sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import { Crowd } from './crowd.ts';
import { seeded } from './people.ts';

/** A store that the demo has for itself. */
export interface OwnStore {
  store: Store;
  /** For people. */
  where: string;
  close(): Promise<void> | void;
}

export interface StageOptions {
  openStore(): Promise<OwnStore>;
  prefix: string;
  /** How many sessions, give or take a few. */
  size: number;
  /** The same crowd for the same seed. */
  seed: number;
  /** Where the server's warnings go; what else it logs, like a kick, is seen anyway. */
  log(line: string): void;
  /** Aborted when the demo is to end. */
  over: AbortSignal;
}

export interface Stage {
  /** Where the server listens, as http:// URL. */
  url: string;
  /** Where STOMP clients connect. */
  ws: string;
  node: string;
  /** Where the store is. */
  where: string;
  sessions: Sessions;
  crowd: Crowd;
  over: AbortSignal;
}

const NODE = 'demo';

/** Sets all up, lets `play` have it, and takes all down. */
export async function onStage<T>(options: StageOptions, play: (stage: Stage) => Promise<T>): Promise<T> {
  const { openStore, prefix, size, seed, log, over } = options;
  const { store, where, close } = await openStore();
  try {
    const sessions = openSessions(store, prefix);
    const server = new Server(ownOptions(), sessions, { ...makeLog(log), info() {} });
    await server.start();
    const ws = `${server.url.replace('http', 'ws')}/ws`;
    const crowd = new Crowd({ url: ws, size, random: seeded(seed) });
    const end = () => crowd.end();
    over.addEventListener('abort', end);
    try {
      return await play({ url: server.url, ws, node: server.node, where, sessions, crowd, over });
    } finally {
      over.removeEventListener('abort', end);
      // Nobody may come any more; then the server closes all sessions, as it does at the end of its life.
      crowd.end();
      await server.stop();
      await crowd.dispersed();
    }
  } finally {
    await close();
  }
}

/** `serve` as it is unless told otherwise, on a port that is free. */
function ownOptions(): ServerOptions {
  const unsaid = <N extends SettingName>(name: N) => read(name, {}, {});
  return { ...serverOptions(unsaid), port: 0, node: NODE };
}
