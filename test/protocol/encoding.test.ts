/** STOMP 1.2 and 1.1, "Value Encoding": escapes, and nothing trimmed. */
import { describe, expect, it } from 'vitest';
import { refused } from '../helpers/refused.ts';
import type { Got } from '../helpers/talk.ts';
import { door, LATER, newTopic } from './door.ts';

const { client, subscriber } = door();

/** The header `message` of an ERROR that quotes a destination: what the server read. */
const destinationRead = (error: Got) => {
  const escapes: Record<string, string> = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };
  const message = error.header('message')!.replace(/\\./g, (escaped) => escapes[escaped]!);
  return JSON.parse(/"(?:[^"\\]|\\.)*"/.exec(message)![0]) as string;
};

describe.each(LATER)('STOMP %s', (version) => {
  describe('Value Encoding', () => {
    it('commands and headers are encoded in UTF-8', async () => {
      const topic = `${newTopic()}/한글😀`;
      const one = await subscriber(version, topic, { id: 'é' });
      one.say('SEND', { destination: topic, 'x-이름': '값' }, 'x');
      const got = await one.wait('MESSAGE');
      expect([got.header('destination'), got.header('subscription'), got.header('x-이름')]).toEqual([topic, 'é', '값']);
    });

    it('header octets that are no UTF-8 are an ERROR', async () => {
      const one = await client(version);
      one.send(Buffer.from(`SEND\ndestination:${newTopic()}\nx:\xff\n\n\0`, 'latin1'));
      await refused(one, /not valid UTF-8/, 1002);
    });

    it('CONNECT and CONNECTED do not escape', async () => {
      const one = await client(version, { userId: 'DOMAIN\\name:1' });
      expect(one.frames('CONNECTED')[0]!.header('user-name')).toBe('DOMAIN\\name:1');
    });

    it.each([
      ...(version === '1.2' ? [['\\r', 'carriage return', '\r']] : []),
      ['\\n', 'line feed', '\n'],
      ['\\c', 'colon', ':'],
      ['\\\\', 'backslash', '\\'],
    ])('decoding: %s translates to %s', async (escaped, _, octet) => {
      const one = await client(version);
      one.say('SEND', { destination: `no${escaped}where` });
      expect(destinationRead(await refused(one, /none of this server's/, 1008))).toBe(`no${octet}where`);
    });

    it('it is decoded in one pass: an escaped backslash and an n are no line feed', async () => {
      const one = await client(version);
      one.say('SEND', { destination: 'no\\\\nwhere' });
      expect(destinationRead(await refused(one, /none of this server's/, 1008))).toBe('no\\nwhere');
    });

    const undefinedOnes = version === '1.2' ? ['\\t', '\\', '\\R'] : ['\\r', '\\t', '\\', '\\N'];
    it(`undefined escape sequences are a fatal protocol error: ${undefinedOnes.join(' ')}`, async () => {
      for (const bad of undefinedOnes) {
        for (const line of [`x:a${bad}`, `x${bad}:a`]) {
          const one = await client(version);
          one.send(`SEND\ndestination:${newTopic()}\n${line}\n\n\0`);
          await refused(one, /Undefined escape/, 1002);
        }
      }
    });

    it('when encoding, the reverse transformation is applied, to header names too', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      const old = await client('1.0');
      old.send(`SEND\ndestination:${topic}\npath:C:\\new\nna\\me:v\n\n\0`);
      const first = await one.wait('MESSAGE');
      expect([first.header('path'), first.header('na\\\\me')]).toEqual(['C\\c\\\\new', 'v']);
      const newest = await client('1.2');
      newest.send(`SEND\ndestination:${topic}\nlines:a\\nb\nre\\cturn:a\\rb\n\n\0`);
      const second = await one.wait('MESSAGE', 2);
      expect(second.header('lines')).toBe('a\\nb');
      // 1.1 has no escape for it, and needs none: lines end with LF alone.
      expect(second.header('re\\cturn')).toBe(version === '1.2' ? 'a\\rb' : 'a\rb');
    });

    it('headers are never trimmed or padded with spaces', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { id: ' s ' });
      one.send(`SEND\ndestination:${topic}\n x : v \nreceipt: r \n\n\0`);
      const got = await one.wait('MESSAGE');
      expect([got.header(' x '), got.header('subscription')]).toEqual([' v ', ' s ']);
      await one.wait('RECEIPT', 2);
      expect(one.frames('RECEIPT')[1]!.header('receipt-id')).toBe(' r ');
      one.say('SEND', { destination: ` ${topic}` });
      expect(destinationRead(await refused(one, /none of this server's/, 1008))).toBe(` ${topic}`);
    });
  });
});
