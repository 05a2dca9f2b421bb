/** Joined writes: what is sent in one turn goes in one write, in its order, as WebSocket frames that `ws` reads. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as ws from 'ws';
import { join } from '../../src/server/transport/framing.ts';
import { Message } from '../../src/server/transport/message.ts';
import { Outbox, type Sink, Turn } from '../../src/server/transport/outbox.ts';

/** Exported by ws, and missing in its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

function outbox(turn: Turn, over: Partial<Sink> = {}) {
  const writes: (readonly Buffer[])[] = [];
  const sent: Message[] = [];
  const sink: Sink = {
    open: true,
    direct: true,
    write: (chunks) => void writes.push(chunks),
    send: (message) => void sent.push(message),
    ...over,
  };
  return { box: new Outbox(sink, turn), writes, sent };
}
const message = (text: string) => Message.of(Buffer.from(text));
const turnEnds = () => new Promise((wake) => setImmediate(wake));
const all = (writes: (readonly Buffer[])[]) => Buffer.concat(writes.flat());

/** What `ws` makes of the octets. */
async function read(bytes: Buffer): Promise<{ data: Buffer; binary: boolean }[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 1 << 26 });
  const got: { data: Buffer; binary: boolean }[] = [];
  receiver.on('message', (data: Buffer, binary: boolean) => got.push({ data, binary }));
  receiver.end(bytes);
  await once(receiver, 'finish');
  return got;
}

/** A socket just got several messages in a turn: they are joined, in this turn and the next ones. */
async function joining(): Promise<Turn> {
  const turn = new Turn();
  const { box } = outbox(turn);
  for (const text of ['one', 'two']) box.push(message(text));
  await turnEnds();
  return turn;
}

it('one message a turn is written at once', async () => {
  const turn = new Turn();
  const [one, two] = [outbox(turn), outbox(turn)];
  const shared = message('one');
  for (const { box } of [one, two]) box.push(shared);
  expect([one.writes.length, one.box.bytes, one.box.pushed]).toEqual([1, 0, 3]);
  expect(one.writes[0]![0]).toBe(two.writes[0]![0]);
  await turnEnds();
  one.box.push(message('next'));
  expect((await read(all(one.writes))).map(({ data }) => data.toString())).toEqual(['one', 'next']);
});

it('the second of a turn waits for the others, in its order', async () => {
  const { box, writes } = outbox(new Turn());
  for (const text of ['one', 'two', 'three']) box.push(message(text));
  expect([writes.length, box.bytes]).toEqual([1, 8]);
  await turnEnds();
  expect([writes.length, box.bytes]).toEqual([2, 0]);
  expect((await read(all(writes))).map(({ data }) => data.toString())).toEqual(['one', 'two', 'three']);
});

it('what is sent in the turns after such a one is one write each, until it has long been one message', async () => {
  const turn = await joining();
  const { box, writes } = outbox(turn);
  for (const text of ['one', 'two', 'three']) box.push(message(text));
  expect([writes.length, box.bytes]).toEqual([0, 11]);
  await turnEnds();
  expect([writes.length, box.bytes]).toEqual([1, 0]);
  expect((await read(all(writes))).map(({ data }) => data.toString())).toEqual(['one', 'two', 'three']);
  let turns = 0;
  for (let seen = writes.length; turns < 100; turns++) {
    box.push(message('alone'));
    if (writes.length > seen) break;
    await turnEnds();
    seen = writes.length;
  }
  expect(turns).toBeGreaterThan(1);
  expect(turns).toBeLessThan(100);
});

it('sockets that get the same messages share one buffer; others do not', async () => {
  const turn = await joining();
  const [one, two, other] = [outbox(turn), outbox(turn), outbox(turn)];
  const [a, b] = [message('a'), message('b')];
  for (const { box } of [one, two]) for (const each of [a, b]) box.push(each);
  for (const each of [b, a]) other.box.push(each);
  await turnEnds();
  expect(one.writes[0]![0]).toBe(two.writes[0]![0]);
  expect((await read(all(other.writes))).map(({ data }) => data.toString())).toEqual(['b', 'a']);
});

it('flush writes at once, and the end of the turn nothing more', async () => {
  const { box, writes } = outbox(await joining());
  box.push(message('one'));
  expect(writes).toHaveLength(0);
  box.flush();
  expect(writes).toHaveLength(1);
  await turnEnds();
  expect(writes).toHaveLength(1);
});

it('more than enough for one write does not wait for the end of the turn', () => {
  const { box, writes } = outbox(new Turn());
  for (let i = 0; i < 100; i++) box.push(message('x'.repeat(10_000)));
  expect(writes.length).toBeGreaterThan(5);
  expect(box.bytes).toBeLessThan(100_000);
});

it('goes through ws when it must, and nowhere after a close', async () => {
  const turn = new Turn();
  const [held, closed] = [outbox(turn, { direct: false }), outbox(turn, { open: false })];
  for (const { box } of [held, closed]) box.push(message('one'));
  await turnEnds();
  expect([held.writes.length, held.sent.length]).toEqual([0, 1]);
  expect([closed.writes.length, closed.sent.length, closed.box.bytes]).toEqual([0, 0, 0]);
});

it('a large tail is handed out as it is, not copied', () => {
  const tail = Buffer.alloc(100_000, 'x');
  const chunks = join([message('a'), new Message(Buffer.from('head'), tail, true), message('b')]);
  expect(chunks[1]).toBe(tail);
});

it('RFC 6455, 5.2: ws reads any messages of any length as they were, text as text', async () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(125, 126, 16_383, 16_384, 65_530, 65_535, 65_536, 70_000).map((n) => new Uint8Array(n).fill(120)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 8 }), async (parts) => {
      const messages = parts.map(([head, tail]) => {
        const whole = Message.of(Buffer.concat([head, tail]));
        return new Message(Buffer.from(head), Buffer.from(tail), whole.text);
      });
      const got = await read(Buffer.concat(join(messages)));
      expect(got.map(({ binary }) => !binary)).toEqual(messages.map(({ text }) => text));
      got.forEach(({ data }, i) => {
        expect(data.equals(Buffer.concat([messages[i]!.head, messages[i]!.tail]))).toBe(true);
      });
    }),
    { numRuns: 100 },
  );
});
