/** An embedded store of the test's own, with wssess's scripts. */
import { Redis } from 'ioredis';
import { SCRIPTS } from '../../src/sessions/scripts.gen.ts';
import { type Embedded, type EmbeddedOptions, startEmbedded } from '../../src/store/embedded/server.ts';

export const PASSWORD = 'p@ss';

export function startStore(options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  return startEmbedded({ password: PASSWORD, scripts: SCRIPTS, ...options });
}

export async function startEmbeddedRedis() {
  const { port, stop } = await startStore();
  const client = new Redis({ port, host: '127.0.0.1', password: PASSWORD });
  client.on('error', () => {});
  return {
    url: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    client,
    keys: async () => (await client.keys('*')).sort(),
    async stop() {
      client.disconnect();
      await stop();
    },
  };
}
