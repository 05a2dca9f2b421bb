/** Opens an embedded store: starts its listener, tells the CLI where it is, connects to it as to any Redis. */
import { randomBytes } from 'node:crypto';
import { connect } from './connect.ts';
import { startEmbedded } from './embedded/server.ts';
import { removeState, writeState } from './state-claim.ts';
import type { Script, Store } from './store.ts';

export interface EmbeddedOptions {
  /** Milliseconds for one command. */
  timeout: number;
  /** Of the keys; told to the CLI. */
  prefix: string;
  /** The only scripts that it runs. */
  scripts: readonly Script[];
  /** Where the CLI finds it. */
  stateFile: string;
  /** Told of its own faults, which it lives through. */
  onFault?: (error: Error) => void;
}

export interface Embedded {
  store: Store;
  /** 127.0.0.1:port */
  address: string;
  port: number;
  close(): Promise<void>;
}

/**
 * The data lives in this process, and as long as it does.
 * @throws WssessError `store_taken` when another process has one under this state file
 */
export async function openEmbedded({
  timeout,
  prefix,
  scripts,
  stateFile,
  onFault,
}: EmbeddedOptions): Promise<Embedded> {
  const password = randomBytes(24).toString('base64url');
  const listener = await startEmbedded({ password, scripts, onFault });
  const { port } = listener;
  const state = { pid: process.pid, port, password, prefix };
  const forget = () => removeState(stateFile, state);
  try {
    await writeState(stateFile, state);
    process.once('exit', forget); // also when the reader of a pipe has gone, or at a second Ctrl-C
    const url = `redis://:${password}@127.0.0.1:${port}`;
    const store = await connect({ url, source: 'embedded', timeout, lasting: true });
    return {
      store,
      address: `127.0.0.1:${port}`,
      port,
      async close() {
        forget();
        process.off('exit', forget);
        store.close();
        await listener.close();
      },
    };
  } catch (error) {
    forget();
    process.off('exit', forget);
    await listener.close();
    throw error;
  }
}
