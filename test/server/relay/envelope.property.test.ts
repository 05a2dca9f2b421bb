/** What one node packs another reads as it was; nothing that anybody publishes does more than be refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Shared } from '../../../src/server/broker/other-nodes.ts';
import { pack, stampOf, Unreadable, unpack } from '../../../src/server/relay/envelope.ts';
import { Headers } from '../../../src/server/stomp/frame.ts';

const LIMITS = { maxHeaders: 5, maxHeaderBytes: 200, maxBody: 1000 };
const SENDER = 'Abc-_0123456789z';

const text = fc.string({ unit: 'binary', maxLength: 20 });
const own = text.map((rest) => `/user/queue/${rest}`);
const target: fc.Arbitrary<Shared> = fc.oneof(
  fc.record({ kind: fc.constant('topic' as const), name: text.map((rest) => `/topic/${rest}`) }),
  fc.record({ kind: fc.constant('all' as const), name: own }),
  fc.record({ kind: fc.constant('user' as const), user: text, name: own }),
  fc.record({ kind: fc.constant('session' as const), session: text, name: own }),
);
const headers = fc.array(fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', 'a', 'b')), text), { maxLength: 5 });
const body = fc.uint8Array({ maxLength: 1000 }).map((bytes) => Buffer.from(bytes));

test('pack, then unpack, is the identity, but for headers that are the server’s', () => {
  fc.assert(
    fc.property(target, headers, body, fc.nat(), (to, lines, content, number) => {
      const mine: [string, string][] = [
        ['destination', '/topic/x'],
        ['receipt', 'r'],
        ['message-id', 'forged'],
      ];
      const frame = { command: 'SEND', headers: new Headers([...mine, ...lines]), body: content };
      const received = unpack(pack(stampOf(SENDER), number, to, frame), LIMITS);
      expect(received.target).toEqual(to);
      expect(received.id).toBe(`${SENDER}-${number}`);
      expect([...received.frame.headers]).toEqual(lines);
      expect(received.frame.body.equals(content)).toBe(true);
    }),
  );
});

test('any bytes, and any bytes changed in a message, are read or refused', () => {
  const frame = { command: 'SEND', headers: new Headers([['a', 'b']]), body: Buffer.from('body') };
  const good = pack(stampOf(SENDER), 1, { kind: 'topic', name: '/topic/a' }, frame);
  const changed = fc
    .array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.concat([stampOf(SENDER), Buffer.from(`${json}\n`)])),
    changed,
  );
  fc.assert(
    fc.property(any, (bytes) => {
      try {
        const { target, frame } = unpack(bytes, LIMITS);
        expect(target.name).toMatch(/^\/(topic|user\/queue)\//);
        expect([...frame.headers].flat().every((one) => typeof one === 'string')).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Unreadable);
      }
    }),
    { numRuns: 2000 },
  );
});

test('beyond this node’s limits it is refused', () => {
  const of = (lines: [string, string][], bytes: number) =>
    pack(
      stampOf(SENDER),
      1,
      { kind: 'topic', name: '/topic/a' },
      {
        command: 'SEND',
        headers: new Headers(lines),
        body: Buffer.alloc(bytes),
      },
    );
  const six = Array.from({ length: 6 }, (): [string, string] => ['a', 'b']);
  expect(unpack(of(six.slice(1), 1000), LIMITS).frame.body).toHaveLength(1000);
  expect(() => unpack(of([], 1001), LIMITS)).toThrow(Unreadable);
  expect(() => unpack(of(six, 0), LIMITS)).toThrow(Unreadable);
  expect(() => unpack(of([['a', 'x'.repeat(10_000)]], 0), LIMITS)).toThrow(Unreadable);
});
