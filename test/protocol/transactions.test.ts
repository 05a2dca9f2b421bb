/** STOMP 1.2 and 1.1, "BEGIN", "COMMIT" and "ABORT". */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { bodies, door, LATER, naming, newQueue, newTopic, send } from './door.ts';

const { client, subscriber, gone } = door();

describe.each(LATER)('STOMP %s', (version) => {
  /** A client with an open transaction that holds a message for the topic. */
  const transacting = async (topic: string) => {
    const one = await client(version);
    await one.sure('BEGIN', { transaction: 'tx1' });
    await one.sure('SEND', { destination: topic, transaction: 'tx1' }, 'in it');
    return one;
  };

  describe('BEGIN', () => {
    it('messages sent or acknowledged during a transaction are processed atomically', async () => {
      const [topic, queue] = [newTopic(), newQueue()];
      const listener = await subscriber(version, topic);
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, 'held');
      await one.sure('BEGIN', { transaction: 'tx1' });
      await one.sure('ACK', { ...naming(version, await one.wait('MESSAGE')), transaction: 'tx1' });
      for (const body of ['1', '2']) await one.sure('SEND', { destination: topic, transaction: 'tx1' }, body);
      expect(await bodies(listener)).toEqual([]);
      await one.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(listener)).toEqual(['1', '2']);
      await one.sure('UNSUBSCRIBE', { id: 's' });
      expect(await bodies(await subscriber(version, queue))).toEqual([]);
    });

    it('within the same connection different transactions MUST use different ids: one in use is an ERROR', async () => {
      const one = await transacting(newTopic());
      await one.sure('BEGIN', { transaction: 'tx2' });
      one.say('BEGIN', { transaction: 'tx1' });
      await refused(one, /"tx1" is open already/, 1002);
    });

    it('a transaction is its connection’s own', async () => {
      const topic = newTopic();
      const [one, other] = [await transacting(topic), await transacting(topic)];
      const listener = await subscriber(version, topic);
      await one.sure('ABORT', { transaction: 'tx1' });
      await other.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(listener)).toEqual(['in it']);
    });

    it.each(['DISCONNECT', 'lost connection'])('what has not been committed is implicitly aborted: %s', async (how) => {
      const [topic, queue] = [newTopic(), newQueue()];
      const listener = await subscriber(version, topic);
      const one = await transacting(topic);
      await one.sure('SUBSCRIBE', { id: 's', destination: queue, ack: 'client' });
      await send(one, queue, 'acknowledged in it');
      await one.sure('ACK', { ...naming(version, await one.wait('MESSAGE')), transaction: 'tx1' });
      if (how === 'DISCONNECT') await one.sure('DISCONNECT');
      else one.socket.terminate();
      await gone(one);
      expect(await bodies(listener)).toEqual([]);
      expect(await bodies(await subscriber(version, queue))).toEqual(['acknowledged in it']);
    });
  });

  describe('COMMIT', () => {
    it('commits a transaction in progress, in its order; the id is free again', async () => {
      const topic = newTopic();
      const listener = await subscriber(version, topic);
      const one = await transacting(topic);
      await one.sure('SEND', { destination: topic, transaction: 'tx1' }, 'too');
      await one.sure('COMMIT', { transaction: 'tx1' });
      await one.sure('BEGIN', { transaction: 'tx1' });
      expect(await bodies(listener)).toEqual(['in it', 'too']);
      expect(listener.frames('MESSAGE').map((got) => got.header('transaction'))).toEqual([undefined, undefined]);
    });
  });

  describe('ABORT', () => {
    it('rolls back a transaction in progress; the id is free again', async () => {
      const topic = newTopic();
      const listener = await subscriber(version, topic);
      const one = await transacting(topic);
      await one.sure('ABORT', { transaction: 'tx1' });
      await one.sure('BEGIN', { transaction: 'tx1' });
      await one.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(listener)).toEqual([]);
    });
  });

  describe.each(['BEGIN', 'COMMIT', 'ABORT'])('%s', (command) => {
    it(`the transaction header of ${command} is REQUIRED: without it ERROR`, async () => {
      const one = await client(version);
      one.say(command);
      await refused(one, new RegExp(`${command} without transaction`), 1002);
    });
  });

  describe.each(['COMMIT', 'ABORT'])('%s', (command) => {
    it(`the transaction header of ${command} MUST specify one in progress: any other is an ERROR`, async () => {
      const one = await transacting(newTopic());
      one.say(command, { transaction: 'never' });
      await refused(one, /no open transaction "never"/, 1002);
    });
  });
});
