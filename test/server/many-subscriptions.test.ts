/** A client with many subscriptions to one destination: it gets each copy, at the pace at which it reads. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { sleep, until, within } from '../helpers/wait.ts';

const SUBSCRIPTIONS = 500;
const BODY = 'x'.repeat(64 * 1024);

describeWithRedis('a client with many subscriptions to one topic', () => {
  let redis: TestRedis;
  let serve: Serve;
  let other: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    // 500 copies are 32 MB, eight times what may wait for a client.
    const args = ['--max-transaction-bytes', '16m', '--heart-beat', '0,0', '--max-unacked', '10000'];
    serve = await startServe(redis.url, ['--node', 'one', ...args]);
    other = await startServe(redis.url, ['--node', 'other', ...args]);
  });
  afterEach(() => dropClients());
  afterAll(async () => {
    await Promise.all([serve?.stop(), other?.stop()]);
    await redis?.stop();
  });

  /** Per subscription the numbers of the messages that it got. */
  const reader = async (ack: string) => {
    const one = await talk(serve.ws, 'reader');
    const got = Array.from({ length: SUBSCRIPTIONS }, (): number[] => []);
    let heard = 0;
    one.socket.on('message', (data: Buffer) => {
      const id = /\nsubscription:(\d+)\n/.exec(data.toString('latin1', 0, 500))?.[1];
      if (id === undefined) return;
      one.messages.length = 0;
      got[Number(id)]!.push(Number(/\nnumber:(\d+)\n/.exec(data.toString('latin1', 0, 500))![1]));
      heard++;
    });
    for (let id = 0; id < SUBSCRIPTIONS; id++) one.say('SUBSCRIBE', { id, destination: '/topic/many', ack });
    await one.sure('SEND', { destination: '/topic/nobody' });
    return { one, got, heard: () => heard };
  };
  const say = (sender: Talk, number: number, more: Record<string, string> = {}) =>
    sender.say('SEND', { destination: '/topic/many', number, ...more }, BODY);
  const COUNT = 8;
  const numbers = Array.from({ length: COUNT }, (_, i) => i);

  it.each(
    ['auto', 'client'].flatMap((ack) =>
      (
        [
          ['of a SEND each', () => serve, (sender: Talk) => numbers.forEach((number) => void say(sender, number))],
          [
            'of one COMMIT',
            () => serve,
            (sender: Talk) => {
              sender.say('BEGIN', { transaction: 't' });
              for (const number of numbers) say(sender, number, { transaction: 't' });
              sender.say('COMMIT', { transaction: 't' });
            },
          ],
          // Its senders there are not held up; what these copies share is held once.
          ['from another node', () => other, (sender: Talk) => numbers.forEach((number) => void say(sender, number))],
        ] as const
      ).map((how) => [ack, ...how] as const),
    ),
  )('ack:%s: gets all of them, in their order, %s', { timeout: 120_000 }, async (ack, _, node, act) => {
    const { one, got, heard } = await reader(ack);
    const sender = await talk(node().ws, 'sender');
    // It stops for a moment: the copies wait for it.
    one.socket.pause();
    act(sender);
    await sleep(300);
    one.socket.resume();
    await until(() => heard() === SUBSCRIPTIONS * COUNT || one.socket.readyState !== 1, 60_000, 'the copies');
    expect(got).toEqual(got.map(() => numbers));
    await one.sure('SEND', { destination: '/topic/nobody' });
    await sender.sure('SEND', { destination: '/topic/nobody' });
  });

  it('that takes nothing is cut; its neighbour hears everything', { timeout: 120_000 }, async () => {
    const { one } = await reader('auto');
    const neighbour = await talk(serve.ws, 'neighbour');
    await neighbour.sure('SUBSCRIBE', { id: 's', destination: '/topic/many' });
    one.socket.pause();
    const sender = await talk(serve.ws, 'sender');
    for (let number = 0; number < 100; number++) say(sender, number);
    await until(() => neighbour.messages.length > 100, 60_000, 'the neighbour to have heard all');
    one.socket.resume();
    expect((await within(one.closed)).code).toBe(1006);
  });

  it('kicked while copies wait has its ERROR soon', { timeout: 120_000 }, async () => {
    const { one, heard } = await reader('auto');
    const [sender, neighbour] = await Promise.all([talk(other.ws, 'sender'), talk(serve.ws, 'neighbour')]);
    await neighbour.sure('SUBSCRIBE', { id: 's', destination: '/topic/many' });
    one.socket.pause();
    say(sender, 1);
    await neighbour.wait('MESSAGE');
    const kicked = serve.rest(`/api/session/${one.session}`, 'DELETE');
    one.socket.resume();
    expect((await kicked).body.outcome).toBe('kicked');
    expect((await within(one.closed)).code).toBe(4001);
    expect(one.messages.at(-1)!.toString()).toMatch(/^ERROR\n/);
    expect(heard()).toBeLessThan(SUBSCRIPTIONS);
  });
});
