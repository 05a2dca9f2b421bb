/** A Redis that takes no writes for longer than a lease lasts: every lease ends, and nobody has died. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { sleep, until } from '../helpers/wait.ts';

/** Milliseconds: longer than a lease. */
const REFUSED = 10_000;
/** Milliseconds: longer than the sweep waits before it reaps. */
const AFTERWARDS = 8000;

describeWithRedis('min-replicas-to-write', () => {
  let redis: TestRedis;
  let nodes: Serve[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    nodes = await Promise.all(['a', 'b'].map((name) => startServe(redis.url, ['--node', name, '--heart-beat', '0,0'])));
  });
  afterAll(async () => {
    dropClients();
    await Promise.all(nodes.map((node) => node.stop()));
    await redis?.stop();
  });

  it('no session of a node that lived all the time is gone from any answer', { timeout: 120_000 }, async () => {
    for (const { ws } of nodes) for (let i = 0; i < 10; i++) await talk(ws, `user${i}`);
    expect(await redis.client.scard('ws:sessions:all')).toBe(20);
    await redis.client.config('SET', 'min-replicas-to-write', '1');
    await sleep(REFUSED);
    const leases = async () => redis.client.exists('ws:x:node:a', 'ws:x:node:b');
    await until(async () => (await leases()) === 0, 40_000, 'both leases to end');
    await redis.client.config('SET', 'min-replicas-to-write', '0');
    const end = performance.now() + AFTERWARDS;
    while (performance.now() < end) {
      expect(await redis.client.scard('ws:sessions:all')).toBe(20);
      await sleep(20);
    }
    for (const node of nodes) {
      expect((await node.rest('/readyz')).status).toBe(200);
      expect(node.stderr()).not.toContain('is gone: removed');
    }
  });
});
