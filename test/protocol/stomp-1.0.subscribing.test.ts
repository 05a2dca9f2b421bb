/** STOMP 1.0: subscriptions, acknowledgements, transactions. */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { bodies, door, naming, newQueue, newTopic, send } from './door.ts';

const { client, subscriber, gone } = door();

describe('STOMP 1.0', () => {
  describe('SUBSCRIBE', () => {
    it('messages received on the subscription are henceforth delivered as MESSAGE frames', async () => {
      const topic = newTopic();
      const one = await client('1.0');
      await send(one, topic, 'before');
      await one.sure('SUBSCRIBE', { destination: ` ${topic}` });
      await send(one, topic, 'after');
      expect(await bodies(one)).toEqual(['after']);
    });

    it('destination is required: without it ERROR', async () => {
      const one = await client('1.0');
      one.say('SUBSCRIBE', { id: '0' });
      await refused(one, /SUBSCRIBE without destination/, 1002);
    });

    it('ack is optional, and defaults to auto: nothing is delivered again', async () => {
      const queue = newQueue();
      const one = await subscriber('1.0', queue);
      await send(one, queue, 'once');
      await one.sure('UNSUBSCRIBE', { id: 's' });
      expect(await bodies(await subscriber('1.0', queue))).toEqual([]);
    });

    it('ack: client: messages are only considered delivered after an ACK', async () => {
      const queue = newQueue();
      const one = await subscriber('1.0', queue, { ack: ' client' });
      await send(one, queue, 'again');
      one.socket.terminate();
      await gone(one);
      expect(await bodies(await subscriber('1.0', queue))).toEqual(['again']);
    });

    it('valid values for ack are auto and client: another is an ERROR', async () => {
      const one = await client('1.0');
      one.say('SUBSCRIBE', { destination: newTopic(), ack: 'sometimes' });
      await refused(one, /ack mode/, 1002);
    });

    it('the body is ignored', async () => {
      const topic = newTopic();
      const one = await client('1.0');
      one.say('SUBSCRIBE', { destination: topic }, 'a body');
      await send(one, topic, 'hello');
      expect(await bodies(one)).toEqual(['hello']);
    });

    it('brokers may support selector: this one ignores it', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic, { selector: "x = 'no'" });
      await send(one, topic, 'hello');
      expect(await bodies(one)).toEqual(['hello']);
    });

    it('if an id is supplied, MESSAGE has a subscription header, else none', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic, { id: ' my:id' });
      await one.sure('SUBSCRIBE', { destination: topic });
      await send(one, topic, 'hello');
      await bodies(one);
      expect(one.frames('MESSAGE').map((got) => got.header('subscription'))).toEqual(
        expect.arrayContaining(['my:id', undefined]),
      );
    });
  });

  describe('UNSUBSCRIBE', () => {
    it.each([
      ['destination', 'of a subscription without an id', false],
      ['destination', 'of a subscription with an id', true],
      ['id', 'if SUBSCRIBE passed one', true],
    ])('an existing subscription is removed by %s, %s', async (by, _, hasId) => {
      const topic = newTopic();
      const one = await client('1.0');
      await one.sure('SUBSCRIBE', { destination: topic, ...(hasId && { id: 'my' }) });
      await one.sure('UNSUBSCRIBE', by === 'id' ? { id: ' my' } : { destination: ` ${topic}` });
      await send(one, topic, 'unheard');
      expect(await bodies(one)).toEqual([]);
    });

    it('by destination: no longer receives messages from it, whichever subscriptions there are', async () => {
      const [topic, other] = [newTopic(), newTopic()];
      const one = await subscriber('1.0', topic);
      await one.sure('SUBSCRIBE', { destination: topic });
      await one.sure('SUBSCRIBE', { destination: other, id: 'other' });
      await one.sure('UNSUBSCRIBE', { destination: topic });
      await send(one, topic, 'unheard');
      await send(one, other, 'heard');
      expect(await bodies(one)).toEqual(['heard']);
    });

    it.each([{}, { id: 'never' }, { destination: '/topic/never' }])(
      'it requires a destination or an id: %j is an ERROR',
      async (headers) => {
        const one = await subscriber('1.0', newTopic());
        one.say('UNSUBSCRIBE', headers);
        await refused(one, /without id or destination|no subscription/, 1002);
      },
    );
  });

  describe('BEGIN', () => {
    it('messages sent or acknowledged during a transaction are handled atomically', async () => {
      const [topic, queue] = [newTopic(), newQueue()];
      const listener = await subscriber('1.0', topic);
      const one = await subscriber('1.0', queue, { ack: 'client' });
      await send(one, queue, 'held');
      await one.sure('BEGIN', { transaction: 'tx1' });
      await one.sure('ACK', { ...naming('1.0', await one.wait('MESSAGE')), transaction: 'tx1' });
      for (const body of ['1', '2']) await one.sure('SEND', { destination: topic, transaction: 'tx1' }, body);
      expect(await bodies(listener)).toEqual([]);
      await one.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(listener)).toEqual(['1', '2']);
      await one.sure('UNSUBSCRIBE', { id: 's' });
      expect(await bodies(await subscriber('1.0', queue))).toEqual([]);
    });
  });

  describe('ABORT', () => {
    it('rolls back a transaction in progress', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      await one.sure('BEGIN', { transaction: 'tx1' });
      await one.sure('SEND', { destination: topic, transaction: 'tx1' }, 'never');
      await one.sure('ABORT', { transaction: 'tx1' });
      expect(await bodies(one)).toEqual([]);
    });
  });

  describe.each(['BEGIN', 'COMMIT', 'ABORT'])('%s', (command) => {
    it(`the transaction header of ${command} is required: without it ERROR`, async () => {
      const one = await client('1.0');
      one.say(command);
      await refused(one, new RegExp(`${command} without transaction`), 1002);
    });
  });

  describe('ACK', () => {
    it('message-id names the message, that one alone', async () => {
      const queue = newQueue();
      const one = await subscriber('1.0', queue, { ack: 'client' });
      await send(one, queue, '0', '1', '2');
      await one.wait('MESSAGE', 3);
      await one.sure('ACK', { 'message-id': ` ${one.frames('MESSAGE')[1]!.header('message-id')}` });
      await one.sure('UNSUBSCRIBE', { id: 's' });
      expect(await bodies(await subscriber('1.0', queue))).toEqual(['0', '2']);
    });

    it('message-id is required, and must match a MESSAGE: else ERROR', async () => {
      for (const headers of [{}, { 'message-id': 'never' }]) {
        const one = await subscriber('1.0', newTopic(), { ack: 'client' });
        one.say('ACK', headers);
        await refused(one, /ACK without message-id|no message "never" to acknowledge/, 1002);
      }
    });

    it('NACK is no command of 1.0: ERROR', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic, { ack: 'client' });
      await send(one, topic, 'x');
      one.say('NACK', naming('1.0', await one.wait('MESSAGE')));
      await refused(one, /NACK is no frame of STOMP 1.0/, 1002);
    });
  });
});
