/** STOMP 1.2 and 1.1, "STOMP Frames": how frames are written and read, and their grammar. */
import { describe, expect, it } from 'vitest';
import { frame } from '../helpers/clients.ts';
import { refused } from '../helpers/refused.ts';
import { bodies, door, LATER, naming, newTopic, send, type Version } from './door.ts';

const { client, subscriber } = door();

async function noOtherBody(version: Version): Promise<void> {
  for (const command of ['SUBSCRIBE', 'UNSUBSCRIBE', 'ACK', 'NACK', 'BEGIN', 'COMMIT', 'ABORT', 'DISCONNECT']) {
    const one = await client(version);
    one.say(command, { id: '1', destination: newTopic(), transaction: 't' }, 'body');
    await refused(one, /must not have a body/, 1002);
  }
}

describe.each(LATER)('STOMP %s', (version) => {
  describe('STOMP Frames', () => {
    it('a frame is a command, header entries, a blank line, the body, and a NULL octet', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.send(`SEND\ndestination:${topic}\nx-a:1\n\nbody\0`);
      const { headers, body } = await one.wait('MESSAGE');
      expect(headers).toContainEqual(['x-a', '1']);
      expect(body.toString()).toBe('body');
    });

    it('the NULL octet can be followed by multiple EOLs', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.send(
        `\n\n${frame('SEND', { destination: topic }, '1')}\n\n\n${frame('SEND', { destination: topic }, '2')}\n`,
      );
      await one.wait('MESSAGE', 2);
      expect(await bodies(one)).toEqual(['1', '2']);
    });

    it('commands are case sensitive', async () => {
      const one = await client(version);
      one.say('send', { destination: newTopic() });
      await refused(one, /Unknown command "send"/, 1002);
    });

    it('header names are case sensitive', async () => {
      const one = await client(version);
      one.say('SEND', { Destination: newTopic() });
      await refused(one, /SEND without destination/, 1002);
    });
  });

  describe('Standard Headers', () => {
    it('content-length is an octet count; this number of octets is read, regardless of NULL octets', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      const body = 'é\0한\0';
      one.say('SEND', { destination: topic, 'content-length': Buffer.byteLength(body) }, body);
      expect((await one.wait('MESSAGE')).body.toString()).toBe(body);
      await send(one, topic, 'next');
      expect((await bodies(one))[1]).toBe('next');
    });

    it('content-length: the frame still needs to be terminated with a NULL octet: what is there instead is an ERROR', async () => {
      const one = await client(version);
      one.say('SEND', { destination: newTopic(), 'content-length': 3 }, 'body');
      await refused(one, /goes on/, 1002);
    });

    it('content-length is a count, neither padded nor anything else: ERROR', async () => {
      for (const length of [' 4', '4 ', '+4', '-4', '4.0', '0x4', '']) {
        const one = await client(version);
        one.say('SEND', { destination: newTopic(), 'content-length': length }, 'body');
        await refused(one, /no length/, 1002);
      }
    });

    it('without content-length the first NULL octet ends the body', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.send(`SEND\ndestination:${topic}\n\none\0SEND\ndestination:${topic}\n\ntwo\0`);
      await one.wait('MESSAGE', 2);
      expect(await bodies(one)).toEqual(['one', 'two']);
    });

    it('content-length: MESSAGE and ERROR include it if a body is present, with NULL octets in it or not', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      for (const body of ['text', 'a\0b', ''])
        one.say('SEND', { destination: topic, 'content-length': body.length }, body);
      await one.wait('MESSAGE', 3);
      expect(one.frames('MESSAGE').map((got) => got.header('content-length'))).toEqual(['4', '3', undefined]);
      one.say('SEND', { destination: '/nowhere' });
      const error = await refused(one, /nowhere/, 1008);
      expect(error.header('content-length')).toBe(String(error.body.length));
      expect(error.body.length).toBeGreaterThan(0);
    });

    it('content-type: MESSAGE has that of SEND, none if that has none; that of ERROR is a MIME type', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      await one.sure('SEND', { destination: topic, 'content-type': 'application/xml;charset=utf-8' }, '<a/>');
      await send(one, topic, 'blob');
      expect(await bodies(one)).toHaveLength(2);
      expect(one.frames('MESSAGE').map((got) => got.header('content-type'))).toEqual([
        'application/xml;charset=utf-8',
        undefined,
      ]);
      one.say('SEND', { destination: '/nowhere' });
      expect((await refused(one, /nowhere/, 1008)).header('content-type')).toBe('text/plain');
    });

    it('content-type: a body in another encoding, or in none, is delivered octet by octet', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      const body = Buffer.from([0xff, 0xfe, 0x68, 0x00, 0x80]);
      const head = `SEND\ndestination:${topic}\ncontent-type:text/plain;charset=utf-16\ncontent-length:${body.length}\n\n`;
      one.send(Buffer.concat([Buffer.from(head), body, Buffer.of(0)]));
      expect((await one.wait('MESSAGE')).body).toEqual(body);
    });

    it('receipt: any client frame other than CONNECT MAY specify it, and is acknowledged with a RECEIPT frame', async () => {
      const one = await client(version, { receipt: 'connect' });
      one.say('SUBSCRIBE', { id: 's', destination: newTopic(), receipt: 'any:value' });
      expect((await one.wait('RECEIPT')).header('receipt-id')).toBe('any\\cvalue');
      expect(one.frames().map(({ command }) => command)).toEqual(['CONNECTED', 'RECEIPT']);
    });
  });

  describe('Repeated Header Entries', () => {
    it('only the first of repeated header entries is used as the value', async () => {
      const [first, second] = [newTopic(), newTopic()];
      const one = await subscriber(version, first);
      await one.sure('SUBSCRIBE', { id: 'other', destination: second });
      one.send(`SEND\ndestination:${first}\ndestination:${second}\n\nx\0`);
      expect((await one.wait('MESSAGE')).header('subscription')).toBe('s');
      expect(await bodies(one)).toEqual(['x']);
    });

    it('a server MAY update header values: this one passes all entries on, in their order', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.send(`SEND\ndestination:${topic}\nfoo:World\nfoo:Hello\n\n\0`);
      const { headers } = await one.wait('MESSAGE');
      expect(headers.filter(([name]) => name === 'foo').map(([, value]) => value)).toEqual(['World', 'Hello']);
    });
  });

  describe('Augmented BNF', () => {
    it('client-command: SEND, SUBSCRIBE, UNSUBSCRIBE, BEGIN, COMMIT, ABORT, ACK, NACK, DISCONNECT are understood', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic, { ack: 'client-individual' });
      const messageOf = async (nth: number) => {
        await send(one, topic, 'x');
        return naming(version, await one.wait('MESSAGE', nth));
      };
      await one.sure('ACK', await messageOf(1));
      await one.sure('NACK', await messageOf(2));
      for (const end of ['COMMIT', 'ABORT']) {
        await one.sure('BEGIN', { transaction: 't' });
        await one.sure(end, { transaction: 't' });
      }
      await one.sure('UNSUBSCRIBE', { id: 's' });
      await one.sure('DISCONNECT');
    });

    it('server-command: CONNECTED, MESSAGE, RECEIPT or ERROR from a client is an ERROR', async () => {
      for (const command of ['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR']) {
        const one = await client(version);
        one.say(command);
        await refused(one, /Unknown command/, 1002);
      }
    });

    it('header: an entry without a colon, or without a name, is an ERROR', async () => {
      for (const line of ['destination', ':value']) {
        const one = await client(version);
        one.send(`SEND\n${line}\n\n\0`);
        await refused(one, /no (colon|name)/, 1002);
      }
    });

    it('header-value may be empty', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.send(`SEND\ndestination:${topic}\nempty:\n\n\0`);
      expect((await one.wait('MESSAGE')).header('empty')).toBe('');
    });

    it('header-value has no colon: one that is not escaped is taken as it is, and escaped for the receiver', async () => {
      const topic = newTopic();
      const one = await subscriber(version, topic);
      one.send(`SEND\ndestination:${topic}\nat:12:30:00\n\n\0`);
      expect((await one.wait('MESSAGE')).header('at')).toBe('12\\c30\\c00');
    });

    it('NULL in a header is an ERROR, although the grammar has it: it means that the blank line is missing', async () => {
      const one = await client(version);
      one.send(`SEND\ndestination:${newTopic()}\nx:a\0b\n\n\0`);
      await refused(one, /no blank line/, 1002);
    });
  });
});

describe('STOMP 1.2', () => {
  describe('STOMP Frames', () => {
    it('an EOL is an OPTIONAL carriage return and a REQUIRED line feed', async () => {
      const topic = newTopic();
      const one = await subscriber('1.2', topic);
      one.send(`\r\nSEND\r\ndestination:${topic}\r\nx:1\n\r\nbody\r\n\0\r\n\n\r\n`);
      const got = await one.wait('MESSAGE');
      expect([got.header('destination'), got.header('x'), got.body.toString()]).toEqual([topic, '1', 'body\r\n']);
      one.send('SEND\rdestination:/topic/a\r\r\0');
      await refused(one, /Unknown command/, 1002);
    });
  });

  describe('Body', () => {
    it('only SEND, MESSAGE and ERROR MAY have a body: any other frame with one is an ERROR', () => noOtherBody('1.2'));

    it('all other frames MUST NOT have a body: CONNECTED and RECEIPT have none', async () => {
      const one = await subscriber('1.2', newTopic());
      expect(one.frames().map(({ command, body }) => [command, body.length])).toEqual([
        ['CONNECTED', 0],
        ['RECEIPT', 0],
      ]);
    });
  });

  describe('Standard Headers', () => {
    it('content-length: all frames MAY include it', async () => {
      const one = await client('1.2', { 'content-length': '0' });
      await one.sure('SUBSCRIBE', { id: 's', destination: newTopic(), 'content-length': 0 });
      await one.sure('DISCONNECT', { 'content-length': 0 });
    });
  });

  describe('Augmented BNF', () => {
    it('header: a carriage return in its name or value that ends no line is an ERROR', async () => {
      for (const line of ['x:a\rb', 'x\ry:a', 'x:a\r\r']) {
        const one = await client('1.2');
        one.send(`SEND\ndestination:${newTopic()}\n${line}\n\n\0`);
        await refused(one, /CR without LF/, 1002);
      }
    });
  });
});

describe('STOMP 1.1', () => {
  describe('STOMP Frames', () => {
    it('a line ends with a newline; a carriage return before it is no part of that', async () => {
      const topic = newTopic();
      const one = await subscriber('1.1', topic);
      one.send(`SEND\ndestination:${topic}\nx:a\r\nreceipt:r\r\n\n\0`);
      expect((await one.wait('MESSAGE')).header('x')).toBe('a\r');
      expect((await one.wait('RECEIPT', 2)).header('receipt-id')).toBe('r\r');
      one.send(`SEND\r\ndestination:${topic}\r\n\r\n\0`);
      await refused(one, /Unknown command/, 1002);
    });
  });

  describe('Value Encoding', () => {
    it('only SEND, MESSAGE and ERROR can have a body: any other frame with one is an ERROR', () => noOtherBody('1.1'));
  });
});
