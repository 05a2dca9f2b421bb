/** Channels come and go in any order, and connections too: what is listened to in the end is what is wanted. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import type { Listener } from '../../src/store/listener.ts';
import type { Store } from '../../src/store/store.ts';
import { startAsRedis } from '../helpers/embedded.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { sleep, until, within } from '../helpers/wait.ts';
import { startWire, type Wire } from '../helpers/wire.ts';

const CHANNELS = ['a', 'b', 'c', '__proto__', '방'];

const acts = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constantFrom('watch', 'unwatch'), at: fc.nat({ max: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('turn', 'answer'), at: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('cut'), at: fc.constant(0) }) },
  ),
  { maxLength: 120 },
);

describe.each([
  { name: 'Redis', on: describeWithRedis, start: startRedis },
  { name: 'the embedded store', on: describe, start: startAsRedis },
])('channels on $name', ({ on, start }) => {
  on('that come and go', () => {
    let redis: TestRedis;
    let wire: Wire;
    let store: Store;
    let listener: Listener;
    let heard: string[] = [];
    let faults: string[] = [];

    beforeAll(async () => {
      redis = await start();
      wire = await startWire(redis.url);
      store = await connect({ url: wire.url, source: 'test', timeout: 5000, lasting: true });
      listener = await store.listen(['always'], {
        heard: (channel, message) => void heard.push(`${channel} ${message}`),
        lost: () => faults.push('lost'),
        regained: () => faults.push('regained'),
      });
    });
    afterAll(async () => {
      listener?.close();
      store?.close();
      await wire?.close();
      await redis?.stop();
    });

    const numbers = async () => {
      const answer = (await redis.client.pubsub('NUMSUB', ...CHANNELS, 'always')) as (string | number)[];
      return answer.filter((_, i) => i % 2 === 1);
    };
    const cut = () => {
      for (const way of wire.ways) if (way.listens) way.cut();
    };

    test('what is listened to in the end is what is wanted, and everyone who waited has been told', async () => {
      await fc.assert(
        fc.asyncProperty(acts, async (all) => {
          const wanted = new Map<string, number>();
          const waits: Promise<void>[] = [];
          for (const { what, at } of all) {
            const channel = CHANNELS[at]!;
            const times = wanted.get(channel) ?? 0;
            if (what === 'watch') {
              const confirmed = listener.watch(channel);
              if (confirmed) waits.push(confirmed);
              wanted.set(channel, times + 1);
            } else if (what === 'unwatch' && times > 0) {
              listener.unwatch(channel);
              wanted.set(channel, times - 1);
            } else if (what === 'turn') await new Promise(setImmediate);
            else if (what === 'answer') await sleep(2);
            else if (what === 'cut') cut();
          }
          await within(Promise.all(waits), 10_000, 'everyone to be told');
          const model = [...CHANNELS.map((channel) => ((wanted.get(channel) ?? 0) > 0 ? 1 : 0)), 1];
          await until(async () => String(await numbers()) === String(model), 10_000, `${model}; is ${await numbers()}`);
          const expected = [...CHANNELS, 'always'].filter((_, i) => model[i] === 1);
          // Redis may still take a connection that was cut for one that listens.
          for (let round = 0; !expected.every((channel) => heard.includes(`${channel} ${round}`)); ) {
            expect(round++).toBeLessThan(50);
            for (const channel of [...CHANNELS, 'always']) await redis.client.publish(channel, `${round}`);
            await sleep(round * 10);
          }
          expect(new Set(heard.map((one) => one.split(' ')[0]))).toEqual(new Set(expected));
          expect(new Set(heard).size).toBe(heard.length);
          heard = [];
          for (const [channel, times] of wanted) for (let i = 0; i < times; i++) listener.unwatch(channel);
        }),
        { numRuns: 60 },
      );
    }, 120_000);

    test('a channel that is left is heard again only when that is confirmed', async () => {
      for (let round = 0; round < 100; round++) {
        await listener.watch('a');
        listener.unwatch('a');
        await Promise.resolve(); // it is on its way
        await listener.watch('a');
        expect(await redis.client.publish('a', 'x')).toBe(1);
        listener.unwatch('a');
      }
    });

    test('a channel that is confirmed is heard; many that come and go at once cost few commands', async () => {
      await until(async () => String(await numbers()) === '0,0,0,0,0,1', 10_000, 'a quiet start');
      const subscribes = async () =>
        Number(/cmdstat_subscribe:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
      const before = await subscribes();
      for (let i = 0; i < 10_000; i++) {
        void listener.watch('a');
        listener.unwatch('a');
        void listener.watch(`once ${i}`);
        listener.unwatch(`once ${i}`);
        if (i % 100 === 0) await new Promise(setImmediate);
      }
      await listener.watch('b');
      expect(await redis.client.publish('b', 'x')).toBe(1);
      expect((await subscribes()) - before).toBeLessThan(110); // one a turn at most
      listener.unwatch('b');
      await until(async () => String(await numbers()) === '0,0,0,0,0,1', 10_000, 'a quiet end');
      expect(await redis.client.pubsub('CHANNELS')).toEqual(['always']);
    });

    test('many channels are listened to again after a loss, which is told', async () => {
      const names = Array.from({ length: 3000 }, (_, i) => `many ${i}`);
      await Promise.all(names.map((name) => listener.watch(name)));
      const many = async () => ((await redis.client.pubsub('CHANNELS', 'many *')) as string[]).length;
      expect(await many()).toBe(names.length);
      faults = [];
      cut();
      await until(() => faults.includes('lost'), 10_000, 'the loss to be told');
      await until(() => faults.includes('regained'), 10_000, 'the return to be told');
      expect(await many()).toBe(names.length);
      for (const name of names) listener.unwatch(name);
      await until(async () => (await many()) === 0, 10_000, 'all to be left');
    });
  });
});
