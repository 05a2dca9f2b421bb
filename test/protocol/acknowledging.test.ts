/** STOMP 1.2 and 1.1, "ACK" and "NACK". */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { bodies, door, LATER, naming, newQueue, newTopic, send } from './door.ts';

const { client, subscriber } = door();

describe.each(LATER)('STOMP %s', (version) => {
  /** A subscriber with one message, of a topic. */
  const holder = async (ack: string) => {
    const topic = newTopic();
    const one = await subscriber(version, topic, { ack });
    await send(one, topic, 'x');
    return { one, got: await one.wait('MESSAGE') };
  };

  describe('ACK', () => {
    it.each(['client', 'client-individual'])(
      '%s: a message is not considered consumed until it has been acknowledged',
      async (ack) => {
        const queue = newQueue();
        const one = await subscriber(version, queue, { ack });
        await send(one, queue, 'acknowledged', 'not');
        await one.wait('MESSAGE', 2);
        await one.sure('ACK', naming(version, one.frames('MESSAGE')[0]!));
        await one.sure('UNSUBSCRIBE', { id: 's' });
        const next = await subscriber(version, queue);
        expect(await bodies(next)).toEqual(['not']);
      },
    );

    it('what is acknowledged can’t be acknowledged again: ERROR', async () => {
      for (const [first, then] of [
        ['ACK', 'ACK'],
        ['ACK', 'NACK'],
        ['NACK', 'ACK'],
      ] as const) {
        const { one, got } = await holder('client-individual');
        await one.sure(first, naming(version, got));
        one.say(then, naming(version, got));
        await refused(one, /no message .+ to acknowledge/, 1002);
      }
    });

    it('auto: ACK is not needed, and an ERROR', async () => {
      const { one, got } = await holder('auto');
      one.say('ACK', { ...naming(version, got), ...(version === '1.2' && { id: got.header('message-id')! }) });
      await refused(one, /no message .+ to acknowledge/, 1002);
    });

    it('transaction MAY be specified: the acknowledgment is part of it', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, '1', '2');
      await one.wait('MESSAGE', 2);
      for (const [nth, end] of ['COMMIT', 'ABORT'].entries()) {
        await one.sure('BEGIN', { transaction: 'tx1' });
        await one.sure('ACK', { ...naming(version, one.frames('MESSAGE')[nth]!), transaction: 'tx1' });
        await one.sure(end, { transaction: 'tx1' });
      }
      await one.sure('UNSUBSCRIBE', { id: 's' });
      expect(await bodies(await subscriber(version, queue))).toEqual(['2']);
    });
  });

  describe('NACK', () => {
    it('the server can send the message to a different client: of a queue it does', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, 'hot');
      const other = await subscriber(version, queue, { ack: 'client-individual' });
      await one.sure('NACK', naming(version, await one.wait('MESSAGE')));
      expect([await bodies(one), await bodies(other)]).toEqual([['hot'], ['hot']]);
    });

    it('the server can discard the message: of a queue after ten NACKs, of a topic at once', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, 'hot');
      for (let nth = 1; nth <= 10; nth++) await one.sure('NACK', naming(version, await one.wait('MESSAGE', nth)));
      expect(await bodies(one)).toHaveLength(10);
      const { one: other, got } = await holder('client-individual');
      await other.sure('NACK', naming(version, got));
      expect(await bodies(other)).toEqual(['x']);
    });

    it('only NACK counts: a message is not discarded because its subscribers end without ACK', async () => {
      const queue = newQueue();
      const one = await client(version);
      await send(one, queue, 'patient');
      for (let nth = 1; nth <= 12; nth++) {
        await one.sure('SUBSCRIBE', { id: 's', destination: queue, ack: 'client' });
        await one.wait('MESSAGE', nth);
        await one.sure('UNSUBSCRIBE', { id: 's' });
      }
    });

    it('it takes transaction as ACK does', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, 'hot');
      const got = await one.wait('MESSAGE');
      await one.sure('BEGIN', { transaction: 'tx1' });
      await one.sure('NACK', { ...naming(version, got), transaction: 'tx1' });
      expect(await bodies(one)).toEqual(['hot']);
      await one.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(one)).toEqual(['hot', 'hot']);
    });

    it('client-individual: it applies to one single message', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, '0', '1', '2');
      await one.wait('MESSAGE', 3);
      await one.sure('NACK', naming(version, one.frames('MESSAGE')[1]!));
      expect(await bodies(one)).toEqual(['0', '1', '2', '1']);
    });

    it('client: it applies to all messages sent before and not yet ACK’ed or NACK’ed', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client' });
      await send(one, queue, '0', '1', '2', '3');
      await one.wait('MESSAGE', 4);
      await one.sure('ACK', naming(version, one.frames('MESSAGE')[0]!));
      await one.sure('NACK', naming(version, one.frames('MESSAGE')[2]!));
      expect(await bodies(one)).toEqual(['0', '1', '2', '3', '1', '2']);
    });
  });
});

describe('STOMP 1.2', () => {
  describe.each(['ACK', 'NACK'])('%s', (command) => {
    it(`${command} MUST include an id header matching the ack header of the MESSAGE: without it, or with another, ERROR`, async () => {
      for (const headers of [{}, { 'message-id': '1', subscription: 's' }, { id: 'never' }]) {
        const one = await subscriber('1.2', newTopic(), { ack: 'client' });
        one.say(command, headers);
        await refused(one, /without id|no message "never" to acknowledge/, 1002);
      }
    });
  });
});

describe('STOMP 1.1', () => {
  describe.each(['ACK', 'NACK'])('%s', (command) => {
    it(`${command} has two REQUIRED headers, message-id and subscription: without one, or with another, ERROR`, async () => {
      const topic = newTopic();
      for (const wrong of ['message-id', 'subscription']) {
        for (const value of [undefined, 'never']) {
          const one = await subscriber('1.1', topic, { ack: 'client' });
          await send(one, topic, 'x');
          const named = Object.entries(naming('1.1', await one.wait('MESSAGE')));
          const others = named.filter(([name]) => name !== wrong);
          one.say(command, Object.fromEntries([...others, ...(value ? [[wrong, value]] : [])]));
          await refused(one, /(ACK without (message-id|subscription)|no message .+ to acknowledge)$/, 1002);
        }
      }
    });
  });
});
