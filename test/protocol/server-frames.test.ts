/** STOMP 1.2 and 1.1, "DISCONNECT", and "Server Frames": MESSAGE, RECEIPT, ERROR. */
import { describe, expect, it } from 'vitest';
import { frame } from '../helpers/clients.ts';
import { refused } from '../helpers/refused.ts';
import { within } from '../helpers/wait.ts';
import { bodies, door, LATER, naming, newQueue, newTopic, send } from './door.ts';

const { open, client, subscriber, gone } = door();

describe.each(LATER)('STOMP %s', (version) => {
  describe('DISCONNECT', () => {
    it('its RECEIPT assures that all previous frames have been received; then the close', async () => {
      const topic = newTopic();
      const listener = await subscriber(version, topic);
      const one = await client(version);
      for (const body of ['1', '2', '3']) one.say('SEND', { destination: topic }, body);
      one.say('DISCONNECT', { receipt: '77' });
      expect((await one.wait('RECEIPT')).header('receipt-id')).toBe('77');
      expect((await within(one.closed)).code).toBe(1000);
      expect(await bodies(listener)).toEqual(['1', '2', '3']);
    });

    it('clients MUST NOT send any more frames after it: nothing that comes is acted on', async () => {
      const topic = newTopic();
      const listener = await subscriber(version, topic);
      const one = await client(version);
      one.send(frame('DISCONNECT', { receipt: 'r' }) + frame('SEND', { destination: topic, receipt: 'no' }, 'late'));
      await within(one.closed);
      expect(one.frames().slice(1)).toMatchObject([{ command: 'RECEIPT' }]);
      expect(await bodies(listener)).toEqual([]);
    });

    it('a client can disconnect at anytime by closing the socket', async () => {
      const topic = newTopic();
      const listener = await subscriber(version, topic);
      for (const leave of ['close', 'terminate'] as const) {
        const one = await subscriber(version, topic);
        one.socket[leave]();
        await gone(one);
        await send(listener, topic, leave);
      }
      expect(await bodies(listener)).toEqual(['close', 'terminate']);
    });
  });

  describe('MESSAGE', () => {
    it.each(['topic', 'queue'])('destination is identical to the one of the SEND frame: of a %s', async (kind) => {
      const destination = `${kind === 'topic' ? newTopic() : newQueue()}/é:1`;
      const one = await client(version);
      await one.sure('SUBSCRIBE', { id: 's', destination: destination.replace(':', '\\c') });
      one.say('SEND', { destination: destination.replace(':', '\\c') });
      expect((await one.wait('MESSAGE')).header('destination')).toBe(destination.replace(':', '\\c'));
    });

    it('destination SHOULD be that of SEND: what is sent to a user has the one that was subscribed to', async () => {
      const one = await subscriber(version, '/user/queue/x');
      await send(await client(version), `/session/${one.session}/queue/x`, 'you');
      expect((await one.wait('MESSAGE')).header('destination')).toBe('/user/queue/x');
    });

    it('message-id is a unique identifier for that message', async () => {
      const [topic, queue] = [newTopic(), newQueue()];
      const one = await subscriber(version, topic);
      await one.sure('SUBSCRIBE', { id: 'q', destination: queue, ack: 'client' });
      await send(one, topic, 'same', 'same');
      await send(one, queue, 'same');
      await bodies(one);
      const ids = one.frames('MESSAGE').map((got) => got.header('message-id'));
      expect(ids).toHaveLength(3);
      expect(ids).not.toContain(undefined);
      expect(new Set(ids).size).toBe(3);
    });

    it('subscription matches the subscription that receives the message', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { id: '0' });
      await one.sure('SUBSCRIBE', { id: 'a\\cb\\n', destination: topic, ack: 'client' });
      await send(one, topic, 'hello');
      await bodies(one);
      const subscriptions = one.frames('MESSAGE').map((got) => got.header('subscription'));
      expect(subscriptions.sort()).toEqual(['0', 'a\\cb\\n']);
    });

    it('the frame body contains the contents of the message, with content-length and the content-type of SEND', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { ack: 'client' });
      one.say('SEND', { destination: topic, 'content-type': 'application/json' }, '{"a":"é"}');
      const got = await one.wait('MESSAGE');
      expect([got.header('content-length'), got.header('content-type')]).toEqual(['10', 'application/json']);
      expect(got.body.toString()).toBe('{"a":"é"}');
    });

    it.each(['auto', 'client'])('all user defined headers of SEND are included: ack:%s', async (ack) => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { ack });
      one.say('SEND', { destination: topic, 'x-a': '1', 'x\\cb': '2\\n3', priority: '4' });
      const got = await one.wait('MESSAGE');
      expect(['x-a', 'x\\cb', 'priority'].map((name) => got.header(name))).toEqual(['1', '2\\n3', '4']);
    });
  });

  describe('RECEIPT', () => {
    it('is sent once a server has successfully processed a frame that requests it, for every frame but CONNECT', async () => {
      const topic = newTopic();
      const one = await open();
      one.say('CONNECT', { 'accept-version': version, userId: 'kim', receipt: 'connect' });
      await one.wait('CONNECTED');
      await one.sure('SUBSCRIBE', { id: 's', destination: topic, ack: 'client-individual' });
      for (const command of ['ACK', 'NACK']) {
        await one.sure('SEND', { destination: topic });
        await one.sure(command, naming(version, one.frames('MESSAGE').at(-1)!));
      }
      for (const end of ['COMMIT', 'ABORT']) {
        await one.sure('BEGIN', { transaction: 't' });
        await one.sure(end, { transaction: 't' });
      }
      await one.sure('UNSUBSCRIBE', { id: 's' });
      await one.sure('DISCONNECT');
      expect(one.frames('RECEIPT').map((got) => got.header('receipt-id'))).not.toContain('connect');
    });

    it('receipt-id is the value of the receipt header, whatever that is; its body is empty', async () => {
      const one = await client(version);
      const values = ['message-12345', 'a\\cb\\\\\\n', '한글', '', ' ', '__proto__'];
      for (const receipt of values) one.say('SEND', { destination: newTopic(), receipt });
      await one.wait('RECEIPT', values.length);
      expect(one.frames('RECEIPT').map((got) => [got.header('receipt-id'), got.body.length])).toEqual(
        values.map((value) => [value, 0]),
      );
    });

    it('a frame that requests none gets none', async () => {
      const one = await client(version);
      one.say('SEND', { destination: newTopic() });
      await send(one, newTopic(), 'x');
      expect(one.frames('RECEIPT')).toHaveLength(1);
    });
  });

  describe('ERROR', () => {
    it('if something goes wrong the server sends ERROR, and closes the connection just after', async () => {
      const topic = newTopic();
      const listener = await subscriber(version, topic);
      const one = await client(version);
      one.send(
        frame('SEND', { destination: topic }, 'before') +
          frame('SEND', {}) +
          frame('SEND', { destination: topic, receipt: 'r' }, 'after'),
      );
      await refused(one, /SEND without destination/, 1002);
      expect(one.frames('RECEIPT')).toEqual([]);
      expect(await bodies(listener)).toEqual(['before']);
    });

    it('message has a short description, the body more: what to do', async () => {
      const one = await client(version);
      one.say('SUBSCRIBE', { id: '1', destination: '/user/lee/queue/x' });
      const error = await refused(one, /can't be subscribed to/, 1008);
      expect(error.body.toString()).toContain('Subscribe to /user/queue/');
    });

    it.each([
      ['is refused', 'SEND\nreceipt:a\\cb\ndestination:/nowhere\n\n\0'],
      ['lacks a header', 'SEND\nreceipt:a\\cb\n\n\0'],
      ['is malformed', 'SEND\nreceipt:a\\cb\nno colon\n\n\0'],
    ])('receipt-id is the receipt header of the frame that the error is related to: one that %s', async (_, bytes) => {
      const one = await client(version);
      one.send(bytes);
      await within(one.closed);
      expect(one.frames('ERROR').map((got) => got.header('receipt-id'))).toEqual(['a\\cb']);
    });

    it('the error of a frame without a receipt header has no receipt-id', async () => {
      const one = await client(version);
      one.say('SEND', { destination: newTopic(), receipt: 'good' });
      one.say('SEND', {});
      expect((await refused(one, /./, 1002)).header('receipt-id')).toBeUndefined();
    });

    it('content-length and content-type are included', async () => {
      const one = await client(version);
      one.say('SEND', { destination: '/어디' });
      const error = await refused(one, /어디/, 1008);
      expect(error.header('content-length')).toBe(String(error.body.length));
      expect(error.header('content-type')).toBe('text/plain');
    });
  });
});

describe('STOMP 1.2', () => {
  describe('MESSAGE', () => {
    it('with client or client-individual it MUST contain an ack header; with auto it has none', async () => {
      const topic = newTopic();
      const one = await client('1.2');
      for (const ack of ['auto', 'client', 'client-individual']) {
        await one.sure('SUBSCRIBE', { id: ack, destination: topic, ack });
      }
      await send(one, topic, 'hello');
      await bodies(one);
      const acks = new Map(one.frames('MESSAGE').map((got) => [got.header('subscription'), got.header('ack')]));
      expect(acks.get('auto')).toBeUndefined();
      expect(acks.get('client')).toMatch(/./);
      expect(acks.get('client-individual')).toMatch(/./);
      expect(acks.get('client')).not.toBe(acks.get('client-individual'));
    });
  });

  describe('RECEIPT', () => {
    it('is a cumulative acknowledgment that all the previous frames have been received', async () => {
      const topic = newTopic();
      const one = await subscriber('1.2', topic);
      one.send(
        Array.from({ length: 50 }, (_, i) => frame('SEND', { destination: topic }, `${i}`)).join('') +
          frame('SEND', { destination: newTopic(), receipt: 'last' }),
      );
      await one.wait('RECEIPT', 2);
      expect(one.frames().at(-1)!.header('receipt-id')).toBe('last');
      expect(one.frames('MESSAGE')).toHaveLength(50);
    });

    it('if the client disconnects, previously received frames SHOULD continue to get processed', async () => {
      const topic = newTopic();
      const listener = await subscriber('1.2', topic);
      for (let nth = 1; nth <= 5; nth++) {
        const one = await open();
        // In one write: all of it is there while CONNECT is still being worked on.
        const { _socket: tcp } = one.socket as unknown as { _socket: { cork(): void; uncork(): void } };
        tcp.cork();
        one.say('CONNECT', { 'accept-version': '1.2', userId: 'kim' });
        one.say('SEND', { destination: topic }, `${nth}`);
        one.socket.close();
        tcp.uncork();
        await within(one.closed);
        await listener.wait('MESSAGE', nth, 5000);
      }
      expect(await bodies(listener)).toEqual(['1', '2', '3', '4', '5']);
    });
  });

  describe('Frames and Headers', () => {
    it.each([
      ['SEND', ['destination']],
      ['SUBSCRIBE', ['destination', 'id']],
      ['UNSUBSCRIBE', ['id']],
      ['ACK', ['id']],
      ['NACK', ['id']],
      ['BEGIN', ['transaction']],
      ['COMMIT', ['transaction']],
      ['ABORT', ['transaction']],
    ])('%s: REQUIRED are %j: without any of them ERROR', async (command, required) => {
      for (const missing of required) {
        const one = await client('1.2');
        one.say(
          command,
          Object.fromEntries(required.filter((name) => name !== missing).map((name) => [name, '/topic/a'])),
        );
        await refused(one, new RegExp(`^${command} without ${missing}$`), 1002);
      }
    });
  });
});

describe('STOMP 1.1', () => {
  describe('MESSAGE', () => {
    it('has no ack header: it is acknowledged by message-id and subscription', async () => {
      const topic = newTopic();
      const one = await subscriber('1.1', topic, { ack: 'client' });
      await send(one, topic, 'hello');
      const got = await one.wait('MESSAGE');
      expect(got.header('ack')).toBeUndefined();
      await one.sure('ACK', { 'message-id': got.header('message-id')!, subscription: 's' });
    });
  });
});
