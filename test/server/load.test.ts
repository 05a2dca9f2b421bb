/** What a node says of its load beside its lease: counted once, measured between renewals. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Load } from '../../src/server/membership/load.ts';
import type { Sessions } from '../../src/sessions/sessions.ts';
import { dropClients } from '../helpers/clients.ts';
import { openFloor } from '../helpers/floor.ts';
import { ask } from '../helpers/http.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

describeWithRedis('the load of a node', () => {
  let redis: TestRedis;
  let serve: Serve;
  let floor: Sessions;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'chat-1']);
    floor = await openFloor(redis);
  });
  afterAll(async () => {
    dropClients();
    floor?.store.close();
    await serve?.stop();
    await redis?.stop();
  });

  const info = async () => (await floor.nodes.list())[0]!.info!;

  it('counts who comes, who goes and how, and what is said', async () => {
    const [one, two, three] = [await talk(serve.ws, 'kim'), await talk(serve.ws, 'lee'), await talk(serve.ws, 'choi')];
    for (const client of [one, two]) await client.sure('SUBSCRIBE', { id: 'a', destination: '/topic/a' });
    await two.sure('SUBSCRIBE', { id: 'b', destination: '/topic/a' });
    for (let i = 0; i < 4; i++) await three.sure('SEND', { destination: '/topic/a' }, 'hello');
    await three.sure('SEND', { destination: '/topic/nobody' }, 'hello');
    const refused = await talk(serve.ws, 'park');
    refused.say('SEND', { destination: '/nowhere' }, 'hello'); // ends it
    await refused.wait('ERROR');
    const silent = await open(serve.ws); // never a session
    silent.socket.close();
    await one.sure('DISCONNECT');
    await ask(serve.port, `/api/session/${two.session}`, 'DELETE', {});

    await until(
      async () => {
        const { sessions, kicks } = await info();
        return sessions === 1 && kicks === 1;
      },
      10_000,
      'a renewal',
    );
    expect(await info()).toMatchObject({
      connects: 4,
      disconnects: 3,
      kicks: 1,
      messages_in: 5,
      messages_out: 12,
    });
    const [node] = (await floor.overview.frame()).nodes;
    expect(node).toMatchObject({ name: 'chat-1', alive: true, sessions: 1, info: { connects: 4 } });
  });

  it('measures the event loop, the processor and the memory', async () => {
    await until(async () => ((await info()).cpu ?? -1) >= 0, 10_000, 'a renewal');
    const { loop_delay_ms, cpu, rss } = await info();
    expect(loop_delay_ms).toBeGreaterThanOrEqual(0);
    expect(cpu).toBeLessThan(64);
    expect(rss).toBeGreaterThan(10_000_000);
  });
});

it('a blocked event loop is seen in the sample of that time, and asked again at once tells the same', async () => {
  const load = new Load();
  load.start();
  try {
    const block = (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end; );
    };
    const began = performance.now();
    let sample = load.sample();
    // One turn in a hundred: a stretch of a second has about 50.
    await until(
      () => {
        block(150);
        sample = load.sample();
        return performance.now() - began > 1000;
      },
      10_000,
      'a second',
    );
    expect(sample.loop_delay_ms).toBeGreaterThan(50);
    expect(sample.cpu).toBeGreaterThan(0);
    expect(load.sample()).toBe(sample);
  } finally {
    load.stop();
  }
});
