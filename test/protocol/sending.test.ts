/** STOMP 1.2 and 1.1, "Client Frames" and "SEND". */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { bodies, door, LATER, newQueue, newTopic, send } from './door.ts';

const { client, subscriber } = door();

describe.each(LATER)('STOMP %s', (version) => {
  describe(version === '1.2' ? 'Client Frames' : 'Once Connected', () => {
    it('for a frame not in the list the server MAY respond with an ERROR and close: it does', async () => {
      const one = await client(version);
      one.say('PUBLISH', { destination: newTopic(), receipt: 'r' });
      await refused(one, /Unknown command "PUBLISH"/, 1002);
    });
  });

  describe('SEND', () => {
    it.each(['topic', 'queue'])('sends a message to a destination: a %s', async (kind) => {
      const destination = kind === 'topic' ? newTopic() : newQueue();
      const one = await subscriber(version, destination);
      await send(await client(version), destination, 'hello');
      const got = await one.wait('MESSAGE');
      expect([got.header('destination'), got.body.toString()]).toEqual([destination, 'hello']);
    });

    it('destination is REQUIRED: without it, or empty, ERROR', async () => {
      for (const headers of [{}, { destination: '' }]) {
        const one = await client(version);
        one.say('SEND', headers, 'hello');
        await refused(one, /SEND without destination/, 1002);
      }
    });

    it('the body is the message to be sent, octet by octet, and may be empty', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      await send(one, topic, ' \nhello queue a\n', '', '\r\n');
      expect(await bodies(one)).toEqual([' \nhello queue a\n', '', '\r\n']);
    });

    it('the destination is an opaque string behind its kind', async () => {
      const topic = newTopic();
      const names = [
        topic,
        topic.toUpperCase().replace('TOPIC', 'topic'),
        `${topic}/`,
        `${topic}/*`,
        `${topic} a?b#c%41`,
      ];
      const one = await client(version);
      for (const [id, destination] of names.entries()) await one.sure('SUBSCRIBE', { id, destination });
      for (const destination of names) await send(one, destination, destination);
      expect(await bodies(one)).toEqual(names);
      expect(one.frames('MESSAGE').map((got) => got.header('subscription'))).toEqual(['0', '1', '2', '3', '4']);
    });

    it('transaction allows for transactional sends', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      await one.sure('BEGIN', { transaction: 'tx1' });
      await one.sure('SEND', { destination: topic, transaction: 'tx1' }, 'in it');
      await send(one, topic, 'outside');
      expect(await bodies(one)).toEqual(['outside']);
      await one.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(one)).toEqual(['outside', 'in it']);
    });

    it('user defined headers MUST be passed through in the MESSAGE frame', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.say('SEND', { destination: topic, 'x-app': '1', persistent: 'true', __proto__x: 'p', constructor: 'c' });
      const { headers } = await one.wait('MESSAGE');
      const passed = headers.filter(([name]) => !['destination', 'subscription', 'message-id'].includes(name));
      expect(passed).toEqual([
        ['x-app', '1'],
        ['persistent', 'true'],
        ['__proto__x', 'p'],
        ['constructor', 'c'],
      ]);
    });

    it('what is the server’s in MESSAGE cannot be defined by the user: subscription, message-id, ack', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.say('SEND', {
        destination: topic,
        subscription: 'forged',
        'message-id': 'forged',
        ack: 'forged',
        receipt: 'r',
      });
      const { headers } = await one.wait('MESSAGE');
      expect(headers.map(([name]) => name).sort()).toEqual(['destination', 'message-id', 'subscription']);
      expect(headers.map(([, value]) => value)).not.toContain('forged');
    });

    it.each([
      ['a destination of no kind', '/nowhere', 1008],
      ['an unknown transaction', newTopic(), 1002],
    ])('if the SEND cannot be processed, ERROR and close: %s', async (_, destination, code) => {
      const one = await client(version);
      one.say('SEND', { destination, transaction: 'never', receipt: 'r' });
      expect((await refused(one, /nowhere|never/, code)).header('receipt-id')).toBe('r');
      expect(one.frames('RECEIPT')).toEqual([]);
    });
  });
});
