/** STOMP 1.2 and 1.1, "SUBSCRIBE" and "UNSUBSCRIBE". */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { bodies, door, LATER, naming, newQueue, newTopic, send } from './door.ts';

const { client, subscriber, gone } = door();

describe.each(LATER)('STOMP %s', (version) => {
  describe('SUBSCRIBE', () => {
    it('messages received on the destination are henceforth delivered as MESSAGE frames', async () => {
      const topic = newTopic();
      const [one, other] = [await client(version), await client(version)];
      await send(other, topic, 'before');
      await one.sure('SUBSCRIBE', { id: '0', destination: topic });
      await send(other, topic, 'first', 'second');
      expect(await bodies(one)).toEqual(['first', 'second']);
    });

    it('destination is required: without it ERROR', async () => {
      const one = await client(version);
      one.say('SUBSCRIBE', { id: '0' });
      await refused(one, /SUBSCRIBE without destination/, 1002);
    });

    it.each(['/nowhere', '/user/lee/queue/x'])(
      'if the subscription cannot be created, ERROR and close: %s',
      async (destination) => {
        const one = await client(version);
        one.say('SUBSCRIBE', { id: '0', destination, receipt: 'r' });
        expect((await refused(one, /destination/, 1008)).header('receipt-id')).toBe('r');
        expect(one.frames('RECEIPT')).toEqual([]);
      },
    );

    it('servers MAY support additional headers: this one ignores them, selector too', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { selector: "x = 'no'", 'activemq.prefetchSize': '1' });
      await send(one, topic, 'hello');
      expect(await bodies(one)).toEqual(['hello']);
    });
  });

  describe('SUBSCRIBE id Header', () => {
    it('an id MUST be included: without it ERROR', async () => {
      const one = await client(version);
      one.say('SUBSCRIBE', { destination: newTopic() });
      await refused(one, /SUBSCRIBE without id/, 1002);
    });

    it('the id relates MESSAGE and UNSUBSCRIBE to the original subscription', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { id: 'a:1' });
      await one.sure('SUBSCRIBE', { id: 'b', destination: topic });
      await send(one, topic, 'both');
      await one.sure('UNSUBSCRIBE', { id: 'a:1' });
      await send(one, topic, 'one');
      await bodies(one);
      const subscriptions = one.frames('MESSAGE').map((got) => got.header('subscription'));
      expect(subscriptions.sort()).toEqual(['a\\c1', 'b', 'b']);
    });

    it('within the same connection different subscriptions MUST use different ids: one in use is an ERROR', async () => {
      const one = await subscriber(version, newTopic());
      one.say('SUBSCRIBE', { id: 's', destination: newTopic() });
      await refused(one, /"s" exists already/, 1002);
    });

    it('an id is its connection’s own', async () => {
      const topic = newTopic();
      const [one, other] = [await subscriber(version, topic), await subscriber(version, topic)];
      await other.sure('UNSUBSCRIBE', { id: 's' });
      await send(other, topic, 'hello');
      expect([await bodies(one), await bodies(other)]).toEqual([['hello'], []]);
    });
  });

  describe('SUBSCRIBE ack Header', () => {
    /** What another subscriber of the queue gets when the first one, that acknowledged `acked`, is lost. */
    const redelivered = async (ack: Record<string, string>, acked: number[]) => {
      const queue = newQueue();
      const one = await subscriber(version, queue, ack);
      const next = await client(version);
      await send(next, queue, '0', '1', '2');
      await bodies(one);
      for (const nth of acked) await one.sure('ACK', naming(version, one.frames('MESSAGE')[nth]!));
      await next.sure('SUBSCRIBE', { id: 'next', destination: queue });
      one.socket.terminate();
      await gone(one);
      return bodies(next);
    };

    it('valid values are auto, client, and client-individual: any other is an ERROR', async () => {
      for (const ack of ['auto', 'client', 'client-individual']) await subscriber(version, newTopic(), { ack });
      for (const ack of ['sometimes', '', 'AUTO', ' auto']) {
        const one = await client(version);
        one.say('SUBSCRIBE', { id: '0', destination: newTopic(), ack });
        await refused(one, /ack mode .+ is none of auto, client, client-individual/, 1002);
      }
    });

    it('if it is not set, it defaults to auto', async () => {
      expect(await redelivered({}, [])).toEqual([]);
    });

    it('auto: the server assumes that the client has received a message as soon as it is sent', async () => {
      expect(await redelivered({ ack: 'auto' }, [])).toEqual([]);
    });

    it('client: if the connection fails before an ACK, the server MAY redeliver to another client: of a queue it does', async () => {
      expect(await redelivered({ ack: 'client' }, [])).toEqual(['0', '1', '2']);
    });

    it('client: ACK is cumulative: it means all messages sent to the subscription before it', async () => {
      expect(await redelivered({ ack: 'client' }, [1])).toEqual(['2']);
    });

    it('client: ACK means no message of another subscription', async () => {
      const [queue, second] = [newQueue(), newQueue()];
      const one = await subscriber(version, queue, { ack: 'client' });
      await one.sure('SUBSCRIBE', { id: 'second', destination: second, ack: 'client' });
      const next = await client(version);
      await send(next, second, 'mine');
      await send(next, queue, 'other');
      await bodies(one);
      await one.sure('ACK', naming(version, one.frames('MESSAGE')[1]!));
      await one.sure('UNSUBSCRIBE', { id: 's' });
      await one.sure('UNSUBSCRIBE', { id: 'second' });
      for (const destination of [queue, second]) await next.sure('SUBSCRIBE', { id: destination, destination });
      expect(await bodies(next)).toEqual(['mine']);
    });

    it('client-individual: ACK MUST NOT cause a previous message to get acknowledged', async () => {
      expect(await redelivered({ ack: 'client-individual' }, [1])).toEqual(['0', '2']);
    });

    it('client-individual: NACK means no previous message', async () => {
      const queue = newQueue();
      const one = await subscriber(version, queue, { ack: 'client-individual' });
      await send(one, queue, '0', '1', '2');
      await bodies(one);
      await one.sure('NACK', naming(version, one.frames('MESSAGE')[1]!));
      expect(await bodies(one)).toEqual(['0', '1', '2', '1']);
    });
  });

  describe('UNSUBSCRIBE', () => {
    it('once the subscription is removed no messages are received from it', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      await one.sure('UNSUBSCRIBE', { id: 's' });
      await send(await client(version), topic, 'unheard');
      expect(await bodies(one)).toEqual([]);
    });

    it.each([{}, { id: 'never' }, { destination: '/topic/a' }])(
      'id MUST match an existing subscription: %j is an ERROR',
      async (headers) => {
        const one = await client(version);
        await one.sure('SUBSCRIBE', { id: 's', destination: '/topic/a' });
        one.say('UNSUBSCRIBE', headers);
        await refused(one, /UNSUBSCRIBE without id|no subscription "never"/, 1002);
      },
    );

    it('an id that was removed is free, and can’t be removed twice', async () => {
      const topic = newTopic();
      const one = await subscriber(version, newTopic());
      await one.sure('UNSUBSCRIBE', { id: 's' });
      await one.sure('SUBSCRIBE', { id: 's', destination: topic });
      await one.sure('UNSUBSCRIBE', { id: 's' });
      one.say('UNSUBSCRIBE', { id: 's' });
      await refused(one, /no subscription "s"/, 1002);
    });
  });
});
