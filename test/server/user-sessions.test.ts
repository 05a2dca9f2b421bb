/** --max-user-sessions: how many sessions one user may have, on all nodes together. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { refused } from '../helpers/refused.ts';
import { open, talk } from '../helpers/talk.ts';

describeWithRedis('sessions of a user', () => {
  let redis: TestRedis;
  let nodes: Serve[];

  beforeAll(async () => {
    redis = await startRedis();
    const start = (node: string) => startServe(redis.url, ['--node', node, '--max-user-sessions', '3']);
    nodes = await Promise.all([start('many-a'), start('many-b')]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await redis?.stop();
  });

  it('one more, on whichever node, is an ERROR and 1008, and writes nothing; one that ended makes room', async () => {
    const [a, b] = nodes as [Serve, Serve];
    const first = await talk(a.ws, 'cust01');
    await talk(b.ws, 'cust01');
    await talk(a.ws, 'cust01');
    for (const node of nodes) {
      const late = await open(node.ws);
      late.say('CONNECT', { 'accept-version': '1.2', host: 'localhost', userId: 'cust01' });
      await refused(late, /more than 3 sessions of one user/, 1008);
    }
    expect((await a.rest('/api/session/user/cust01')).body.sessionCount).toBe(3);
    await talk(a.ws, 'cust02');
    await first.sure('DISCONNECT');
    await first.closed;
    await talk(b.ws, 'cust01');
    expect((await b.rest('/api/session/user/cust01')).body.sessionCount).toBe(3);
  });
});
