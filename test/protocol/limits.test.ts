/** STOMP 1.2 and 1.1, "Size Limits" and those that "Conformance" allows, on a server whose limits are small. */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import { door, LATER, newTopic } from './door.ts';

const { client } = door(
  ...['--max-headers', '10', '--max-header', '256', '--max-body', '1k'],
  ...['--max-subscriptions', '2', '--max-transactions', '2', '--max-unacked', '2'],
);

describe.each(LATER)('STOMP %s', (version) => {
  describe('Size Limits', () => {
    it.each([
      ['the number of frame headers', /more than 10 headers/, 'x:1\n'.repeat(8), 'x:1\n', ''],
      ['the length of header lines', /header line of SEND has more than 256 octets/, `x:${'a'.repeat(254)}`, 'a', ''],
      ['the size of a frame body', /body of SEND has more than 1024 octets/, '', '', 'b'.repeat(1024)],
    ])('a limit on %s: beyond it the client gets an ERROR, then the close', async (_, why, header, more, body) => {
      const one = await client(version);
      const send = (lines: string, text: string) =>
        one.send(`SEND\ndestination:${newTopic()}\nreceipt:r\n${lines && `${lines.trimEnd()}\n`}\n${text}\0`);
      send(header, body);
      await one.wait('RECEIPT');
      send(header + more, more ? '' : `${body}b`);
      expect((await refused(one, why, 1009)).header('receipt-id')).toBe('r');
    });

    it('a frame body that is announced as larger is refused before it comes', async () => {
      const one = await client(version);
      one.send(`SEND\ndestination:${newTopic()}\ncontent-length:1025\n\n`);
      await refused(one, /more than 1024 octets/, 1009);
    });
  });

  describe('Conformance', () => {
    it('implementations may impose limits on unconstrained inputs: open subscriptions, ERROR beyond them', async () => {
      const one = await client(version);
      for (const id of [1, 2]) await one.sure('SUBSCRIBE', { id, destination: newTopic() });
      one.say('SUBSCRIBE', { id: 3, destination: newTopic() });
      await refused(one, /more than 2 subscriptions/, 1008);
    });

    it('implementations may impose limits on unconstrained inputs: open transactions, ERROR beyond them', async () => {
      const one = await client(version);
      for (const transaction of [1, 2]) await one.sure('BEGIN', { transaction });
      one.say('BEGIN', { transaction: 3 });
      await refused(one, /more than 2 open transactions/, 1008);
    });

    it('implementations may impose limits on unconstrained inputs: messages without ACK, ERROR beyond them', async () => {
      const topic = newTopic();
      const one = await client(version);
      await one.sure('SUBSCRIBE', { id: 1, destination: topic, ack: 'client' });
      for (let nth = 1; nth <= 3; nth++) one.say('SEND', { destination: topic });
      await refused(one, /more than 2 messages without ACK/, 1008, 'slow_consumer');
      expect(one.frames('MESSAGE')).toHaveLength(2);
    });
  });
});
