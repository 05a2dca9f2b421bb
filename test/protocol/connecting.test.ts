/** STOMP 1.2 and 1.1, "Connecting" and "Protocol Negotiation". */
import { describe, expect, it } from 'vitest';
import { frame } from '../helpers/clients.ts';
import { refused } from '../helpers/refused.ts';
import { within } from '../helpers/wait.ts';
import { door, LATER, newTopic, send } from './door.ts';

const { open, client, subscriber } = door();

/** What is answered to CONNECT, or STOMP, with these headers. */
const connect = async (headers: Record<string, string>, command = 'CONNECT') => {
  const one = await open();
  one.say(command, { userId: 'kim', ...headers });
  return one;
};

describe.each(LATER)('STOMP %s', (version) => {
  describe('Connecting', () => {
    it('if the server accepts the connection attempt it responds with CONNECTED', async () => {
      const one = await connect({ 'accept-version': version, host: 'stomp.github.org' });
      expect((await one.wait('CONNECTED')).header('version')).toBe(version);
    });

    it('the server can reject any connection attempt: an ERROR explains why, then the close', async () => {
      const one = await connect({ 'accept-version': version, host: 'localhost', userId: '' });
      const error = await refused(one, /no user in CONNECT/, 1008);
      expect(error.body.toString()).toContain('userId');
      expect(one.frames('CONNECTED')).toEqual([]);
    });

    it('the stream begins with CONNECT: any other frame before it is an ERROR', async () => {
      const one = await open();
      one.say('SEND', { destination: newTopic() });
      await refused(one, /SEND before CONNECT/, 1002);
    });
  });

  describe(version === '1.2' ? 'Connection Lingering' : 'Connecting', () => {
    it('clients which rapidly connect and disconnect are supported', async () => {
      for (let round = 0; round < 5; round++) {
        const quick = await Promise.all(Array.from({ length: 20 }, () => open()));
        for (const one of quick) {
          one.send(
            frame('CONNECT', { 'accept-version': version, userId: 'kim' }) + frame('DISCONNECT', { receipt: 'r' }),
          );
        }
        for (const one of quick) {
          await one.wait('RECEIPT');
          expect((await within(one.closed)).code).toBe(1000);
        }
      }
      await send(await client(version), newTopic(), 'still served');
    });

    it('the last frame is sent before the close: a client that lingers receives it', async () => {
      const one = await client(version);
      one.say('SEND', { destination: '/nowhere' });
      await refused(one, /nowhere/, 1008);
    });
  });

  describe('CONNECT or STOMP Frame', () => {
    it('a STOMP frame is handled in the same manner as a CONNECT frame', async () => {
      const headers = { 'accept-version': version, host: 'localhost' };
      const told = [await connect(headers), await connect(headers, 'STOMP')].map(async (one) =>
        (await one.wait('CONNECTED')).headers.filter(([name]) => name !== 'session'),
      );
      expect(await told[1]).toEqual(await told[0]);
      await refused(await connect({ ...headers, userId: '' }, 'STOMP'), /no user/, 1008);
    });

    it('host: servers MAY select a default virtual host: any is accepted, and none', async () => {
      for (const host of [{ host: 'no.such.host' }, {}]) {
        await (await connect({ 'accept-version': version, ...host })).wait('CONNECTED');
      }
    });

    it('login and passcode MAY be set: without a key of tokens login names the user', async () => {
      const one = await connect({ 'accept-version': version, userId: '', login: 'lee', passcode: 'any' });
      expect((await one.wait('CONNECTED')).header('user-name')).toBe('lee');
    });
  });

  describe('CONNECTED Frame', () => {
    it('version MUST be set: the one that the session uses', async () => {
      const one = await connect({ 'accept-version': `1.0,${version}` });
      expect((await one.wait('CONNECTED')).header('version')).toBe(version);
    });

    it('session MAY be set: it uniquely identifies the session', async () => {
      const ids = [await client(version), await client(version)].map(({ session }) => session);
      expect(ids).toEqual([expect.stringMatching(/^[\w-]{16}$/), expect.stringMatching(/^[\w-]{16}$/)]);
      expect(new Set(ids).size).toBe(2);
    });

    it('server MAY be set: a name, and a version behind a slash', async () => {
      const one = await client(version);
      expect(one.frames('CONNECTED')[0]!.header('server')).toMatch(/^wssess\/\d+\.\d+\.\d+$/);
    });

    it('heart-beat MAY be set: it is', async () => {
      const one = await client(version);
      expect(one.frames('CONNECTED')[0]!.header('heart-beat')).toBe('10000,10000');
    });
  });

  describe('Protocol Negotiation', () => {
    it('a missing accept-version means that the client only supports 1.0', async () => {
      const one = await connect({ host: 'localhost' });
      expect((await one.wait('CONNECTED')).header('version')).toBe('1.0');
      one.say('SUBSCRIBE', { destination: newTopic(), receipt: 'r' }); // no id: 1.0 alone takes that
      await one.wait('RECEIPT');
    });

    it.each([
      [`1.0,${version},2.0`, version],
      [`${version},1.0`, version],
      ['1.0,1.1,1.2', '1.2'],
      ['1.0,1.1', '1.1'],
      ['1.0', '1.0'],
    ])('the highest version in common is used: %s is answered with %s', async (accepted, agreed) => {
      const one = await connect({ 'accept-version': accepted });
      expect((await one.wait('CONNECTED')).header('version')).toBe(agreed);
    });

    it('the version is used for the rest of the session, from the next frame on', async () => {
      const topic = newTopic();
      const listener = await subscriber('1.2', topic);
      const one = await open();
      one.send(
        frame('CONNECT', { 'accept-version': version, userId: 'kim' }) +
          frame('SEND', { destination: topic, x: 'a\\cb' }),
      );
      expect((await listener.wait('MESSAGE')).header('x')).toBe('a\\cb');
    });

    it('without a version in common: an ERROR that lists those of the server, then the close', async () => {
      const error = await refused(await connect({ 'accept-version': '2.0,3.1' }), /versions/, 1002);
      expect([error.header('version'), error.header('content-type')]).toEqual(['1.0,1.1,1.2', 'text/plain']);
      expect(error.body.toString()).toBe('Supported protocol versions are 1.0 1.1 1.2');
    });
  });
});
