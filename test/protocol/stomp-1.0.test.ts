/**
 * STOMP 1.0, but for subscriptions and transactions. Its examples have spaces behind the colons of headers, and so have its
 * clients.
 */
import { describe, expect, it } from 'vitest';
import { frame } from '../helpers/clients.ts';
import { refused } from '../helpers/refused.ts';
import { within } from '../helpers/wait.ts';
import { bodies, door, naming, newTopic, send } from './door.ts';

const { open, client, subscriber } = door();

/** A client of 1.0, which has no accept-version. */
const connect = async () => {
  const one = await open();
  one.say('CONNECT', { login: ' kim', passcode: 'any', userRole: ' AGENT' });
  one.session = (await one.wait('CONNECTED')).header('session')!;
  return one;
};

describe('STOMP 1.0', () => {
  describe('Connecting', () => {
    it('CONNECT is acknowledged with CONNECTED, whose session is a unique identifier', async () => {
      const ids = [await connect(), await connect()].map(({ session }) => session);
      expect(ids).toEqual([expect.stringMatching(/^[\w-]{16}$/), expect.stringMatching(/^[\w-]{16}$/)]);
      expect(new Set(ids).size).toBe(2);
    });

    it('login and passcode: login names the user, without the space of the example', async () => {
      const one = await connect();
      expect(one.frames('CONNECTED')[0]!.header('user-name')).toBe('kim');
    });

    it('a frame is a command, headers, each followed by a newline, a blank line, the body, and a null', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      one.send(`SEND\ndestination:${topic}\nx: 1\n\nbody\0`);
      const got = await one.wait('MESSAGE');
      expect([got.header('x'), got.body.toString()]).toEqual([' 1', 'body']);
    });

    it('headers have no escapes: what looks like one is text, here and for a receiver of 1.2', async () => {
      const topic = newTopic();
      const [one, newer] = [await subscriber('1.0', topic), await subscriber('1.2', topic)];
      one.say('SEND', { destination: topic, path: 'C:\\new\\t' });
      expect((await one.wait('MESSAGE')).header('path')).toBe('C:\\new\\t');
      expect((await newer.wait('MESSAGE')).header('path')).toBe('C\\c\\\\new\\\\t');
    });

    it('a header of a later version that can’t be written without escapes is left out, the body is delivered', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      const newer = await client('1.2');
      newer.say('SEND', { destination: topic, evil: 'a\\nforged:1', 'na\\cme': '1', colon: 'a\\cb' }, 'body');
      const got = await one.wait('MESSAGE');
      expect(got.headers.map(([name]) => name).sort()).toEqual([
        ...['colon', 'content-length', 'destination', 'message-id', 'subscription'],
      ]);
      expect([got.header('colon'), got.body.toString()]).toEqual(['a:b', 'body']);
    });
  });

  describe('SEND', () => {
    it('sends a message to a destination; the body is the message', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      await send(await client('1.0'), topic, 'hello queue a\n');
      expect(await bodies(one)).toEqual(['hello queue a\n']);
    });

    it('destination is required: without it ERROR', async () => {
      const one = await client('1.0');
      one.say('SEND', {}, 'hello');
      await refused(one, /SEND without destination/, 1002);
    });

    it('transaction allows for transaction sends', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      await one.sure('BEGIN', { transaction: ' tx1' });
      await one.sure('SEND', { destination: topic, transaction: 'tx1' }, 'in it');
      expect(await bodies(one)).toEqual([]);
      await one.sure('COMMIT', { transaction: 'tx1' });
      expect(await bodies(one)).toEqual(['in it']);
    });

    it('content-length: this number of bytes is read, regardless of null characters', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      one.say('SEND', { destination: topic, 'content-length': ' 5' }, 'é\0b\0');
      expect((await one.wait('MESSAGE')).body.toString()).toBe('é\0b\0');
    });

    it('content-length: the frame still needs to be terminated with a null byte: if it isn’t, ERROR', async () => {
      const one = await client('1.0');
      one.say('SEND', { destination: newTopic(), 'content-length': '3' }, 'body');
      await refused(one, /goes on/, 1002);
    });

    it('if content-length is not specified, the first null byte signals the end of the frame', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      one.send(`SEND\ndestination:${topic}\n\none\0SEND\ndestination:${topic}\n\ntwo\0`);
      await one.wait('MESSAGE', 2);
      expect(await bodies(one)).toEqual(['one', 'two']);
    });
  });

  describe('DISCONNECT', () => {
    it('does a graceful disconnect', async () => {
      const topic = newTopic();
      const listener = await subscriber('1.0', topic);
      const one = await client('1.0');
      one.send(frame('SEND', { destination: topic }, 'last') + frame('DISCONNECT'));
      expect((await within(one.closed)).code).toBe(1000);
      expect(await bodies(listener)).toEqual(['last']);
    });
  });

  describe('Standard Headers', () => {
    it('any client frame other than CONNECT may specify a receipt: it is acknowledged with a RECEIPT', async () => {
      const topic = newTopic();
      const one = await open();
      one.say('CONNECT', { login: 'kim', receipt: 'connect' });
      await one.wait('CONNECTED');
      await one.sure('SUBSCRIBE', { id: 's', destination: topic, ack: 'client' });
      await one.sure('SEND', { destination: topic });
      await one.sure('ACK', naming('1.0', await one.wait('MESSAGE')));
      for (const end of ['COMMIT', 'ABORT']) {
        await one.sure('BEGIN', { transaction: 't' });
        await one.sure(end, { transaction: 't' });
      }
      await one.sure('UNSUBSCRIBE', { id: 's' });
      await one.sure('DISCONNECT');
      expect(one.frames('RECEIPT').map((got) => got.header('receipt-id'))).not.toContain('connect');
    });
  });

  describe('MESSAGE', () => {
    it('includes destination and a unique message-id; the body contains the contents', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      await send(one, topic, 'a', 'a');
      expect(await bodies(one)).toEqual(['a', 'a']);
      const [first, second] = one.frames('MESSAGE');
      expect([first!.header('destination'), second!.header('destination')]).toEqual([topic, topic]);
      expect(first!.header('message-id')).toMatch(/./);
      expect(second!.header('message-id')).not.toBe(first!.header('message-id'));
    });

    it('it is recommended that MESSAGE includes content-length: it does, if there is a body', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      await send(one, topic, 'é', '');
      await bodies(one);
      expect(one.frames('MESSAGE').map((got) => got.header('content-length'))).toEqual(['2', undefined]);
    });
  });

  describe('RECEIPT', () => {
    it('receipt-id is the value of the receipt header; the body is empty', async () => {
      const one = await client('1.0');
      const values = ['message-12345', 'a:b\\n', 'cr\r'];
      for (const receipt of values) one.say('SEND', { destination: newTopic(), receipt });
      await one.wait('RECEIPT', values.length);
      expect(one.frames('RECEIPT').map((got) => [got.header('receipt-id'), got.body.length])).toEqual(
        values.map((value) => [value, 0]),
      );
    });
  });

  describe('ERROR', () => {
    it('message has a short description, the body more, content-length its bytes; then the close', async () => {
      const one = await client('1.0');
      one.say('SUBSCRIBE', { destination: '/user/lee/queue/x', receipt: ' r' });
      const error = await refused(one, /can't be subscribed to/, 1008);
      expect(error.body.toString()).toContain('Subscribe to /user/queue/');
      expect(error.header('content-length')).toBe(String(error.body.length));
      expect(error.header('receipt-id')).toBe('r');
    });
  });

  describe('Augmented BNF', () => {
    it('frames may be followed by newlines', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      one.send(`\n${frame('SEND', { destination: topic }, '1')}\n\n${frame('SEND', { destination: topic }, '2')}\n`);
      await one.wait('MESSAGE', 2);
      expect(await bodies(one)).toEqual(['1', '2']);
    });

    it('client-command: any other is an ERROR, STOMP too once connected', async () => {
      for (const command of ['STOMP', 'send', 'MESSAGE']) {
        const one = await client('1.0');
        one.say(command, { destination: newTopic() });
        await refused(one, /Unknown command|connected once only/, 1002);
      }
    });

    it('header-name has at least one character, and a colon behind it: else ERROR', async () => {
      for (const line of [':value', 'destination']) {
        const one = await client('1.0');
        one.send(`SEND\n${line}\n\n\0`);
        await refused(one, /no (name|colon)/, 1002);
      }
    });

    it('header-value is any characters except LF: colons are part of it, and more than US-ASCII is taken', async () => {
      const topic = newTopic();
      const one = await subscriber('1.0', topic);
      one.say('SEND', { destination: topic, at: '12:30', name: '이름', empty: '' });
      const got = await one.wait('MESSAGE');
      expect(['at', 'name', 'empty'].map((name) => got.header(name))).toEqual(['12:30', '이름', '']);
    });
  });
});
