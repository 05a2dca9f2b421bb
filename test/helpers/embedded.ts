/** An embedded store of the test's own, with wssess's scripts. */
import { Redis } from 'ioredis';
import { SCRIPTS } from '../../src/sessions/scripts.gen.ts';
import { type Embedded, type EmbeddedOptions, startEmbedded } from '../../src/store/embedded/server.ts';
import type { TestRedis } from './redis.ts';
import type { RawClient } from './resp.ts';

export const PASSWORD = 'p@ss';

export function startStore(options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  return startEmbedded({ password: PASSWORD, scripts: SCRIPTS, ...options });
}

/** The same in the shape of a Redis of the test's own, for the tests that run on both. */
export async function startAsRedis(): Promise<TestRedis> {
  const store = await startStore();
  const { port } = store;
  const client = new Redis({ port, host: '127.0.0.1', password: PASSWORD });
  client.on('error', () => {});
  return {
    port,
    url: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    client,
    keys: async () => (await client.keys('*')).sort(),
    async stop() {
      client.disconnect();
      await store.close();
    },
    cli: onlyRedis,
    pause: onlyRedis,
    resume: onlyRedis,
    kill: onlyRedis,
    restart: onlyRedis,
  };
}

/** INFO commandstats without the times, sorted: a line a command. */
export async function countsOf(client: RawClient): Promise<string[]> {
  const text = String(await client.call('INFO', 'commandstats'));
  return [...text.matchAll(/^cmdstat_(.+):calls=(\d+),usec=\d+,usec_per_call=[\d.]+,(.+)\r$/gm)]
    .map(([, name, calls, errors]) => `${name} ${calls} ${errors}`)
    .sort();
}

function onlyRedis(): never {
  throw new Error('the embedded store lives in the process of the test: only a Redis can do this');
}
