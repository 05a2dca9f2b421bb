import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Headers, VERSIONS, type Version } from '../../../src/server/stomp/frame.ts';
import { Parser, ProtocolError } from '../../../src/server/stomp/parser.ts';
import { serialize } from '../../../src/server/stomp/serializer.ts';
import { mostHeld, read } from '../../helpers/fuzz/reference.ts';
import { cut, octets, parse, plain } from './helpers.ts';

const RUNS = { numRuns: 500 };
const LIMITS = { maxHeaders: 3, maxHeaderBytes: 16, maxBody: 8 };

const version = fc.constantFrom(...VERSIONS);
const cuts = fc.oneof(fc.array(fc.nat(), { maxLength: 20 }), fc.constant('each' as const));

/** Text of which much is special to the protocol; well-formed, as UTF-8 has no lone surrogates. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\\', ':', '\n', '\r', 'n', 'c', ' ', 'é', '€', '😀', '\ufeff'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

/** What the version can carry, said apart from the serializer's own table. */
function carries(version: Version, connecting: boolean, name: string, value: string): boolean {
  if (name === '' || name === 'content-length' || (name + value).includes('\0')) return false;
  if (connecting) return !/[\n\r]/.test(name + value) && !name.includes(':');
  if (version === '1.2') return true;
  return version === '1.1' || (!(name + value).includes('\n') && !name.includes(':'));
}

const frame = fc.record({
  command: fc.constantFrom('CONNECT', 'STOMP', 'SEND', 'SEND', 'SUBSCRIBE', 'ACK', 'DISCONNECT'),
  headers: fc.array(fc.tuple(text, text), { maxLength: 6 }),
  body: fc.uint8Array({ maxLength: 40 }),
});

const CRLF_OR_LF = fc.constantFrom('\n', '\n', '\n', '\r\n');
const GOOD_LINES = ['a:b', 'receipt:7', '__proto__:a', 'a:\\n\\c\\\\', 'a:\xe2\x82\xac', 'content-length:3', 'k:'];
const BAD_LINES = [
  'a:\\r',
  'a:\\x',
  'a\\:b',
  'a:\xff',
  ':a',
  'abc',
  'a\r:b',
  'a:\0',
  `a:${'x'.repeat(14)}`,
  `a:${'x'.repeat(15)}`,
  'content-length:8',
  'content-length:9',
  'content-length: 3',
  'content-length:x',
];
const BODIES = ['', '', 'abc', 'a\0c', '\0\0\0', '12345678', '123456789', '\xe2\x82\xac'];

/** Frames that are nearly right, so that many are read before the first fault, and noise. */
const attempt = fc
  .record({
    eol: CRLF_OR_LF,
    between: fc.constantFrom('', '', '', '\n', '\r\n', '\r'),
    command: fc.constantFrom('SEND', 'SEND', 'SEND', 'CONNECT', 'STOMP', 'ACK', 'DISCONNECT', 'SENT', 'UNSUBSCRIBED'),
    lines: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...GOOD_LINES) },
        { weight: 1, arbitrary: fc.constantFrom(...BAD_LINES) },
      ),
      { maxLength: 4 },
    ),
    body: fc.constantFrom(...BODIES),
    end: fc.constantFrom('\0', '\0', '\0', '\0\n', ''),
  })
  .map(({ eol, between, command, lines, body, end }) => between + [command, ...lines, '', body].join(eol) + end);

const noise = fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const hostile = fc
  .array(fc.oneof({ weight: 8, arbitrary: attempt }, { weight: 1, arbitrary: noise }), { maxLength: 6 })
  .map((pieces) => octets(pieces.join('')));

describe('serialize, then parse', () => {
  it('is the identity for every version, any headers it can carry and any chunking', () => {
    const frames = fc.array(frame, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(version, frames, cuts, (version, frames, cuts) => {
        const expected = frames.map(({ command, headers, body }) => {
          const connecting = command === 'CONNECT' || command === 'STOMP';
          const sent = command === 'SEND' || (version === '1.0' && !connecting) ? Buffer.from(body) : Buffer.alloc(0);
          const kept = headers.filter(([name, value]) => carries(version, connecting, name, value));
          if (sent.length > 0) kept.push(['content-length', String(sent.length)]);
          const bytes = serialize(command, new Headers(headers), sent, version);
          return { bytes, frame: { command, headers: kept, body: sent.toString('latin1') } };
        });
        const bytes = Buffer.concat(expected.map((frame) => frame.bytes));
        const outcome = parse(cut(bytes, cuts), version);
        expect(outcome).toEqual({ frames: expected.map((each) => each.frame), fault: undefined, pending: 0 });
      }),
      RUNS,
    );
  });

  it('gives a 1.0 or 1.1 receiver no header line that the 1.2 sender did not write', () => {
    fc.assert(
      fc.property(version, fc.array(fc.tuple(text, text), { maxLength: 6 }), (version, lines) => {
        const bytes = serialize('SEND', new Headers(lines), '', version).toString();
        const [head = ''] = bytes.split('\n\n', 1);
        expect(head.split('\n').length - 1).toBeLessThanOrEqual(lines.length);
        for (const [name, value] of parse(bytes, version).frames[0]?.headers ?? []) {
          expect(lines).toContainEqual([name, value]);
        }
      }),
      RUNS,
    );
  });
});

describe('no input of any bytes', () => {
  const inputs = fc.oneof(
    { weight: 4, arbitrary: hostile },
    fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
  );

  it('makes the parser throw anything but ProtocolError, or hold more than its limits', () => {
    fc.assert(
      fc.property(version, inputs, cuts, (version, bytes, cuts) => {
        const parser = new Parser(LIMITS);
        parser.version = version;
        try {
          for (const piece of cut(bytes, cuts)) {
            for (const frame of parser.push(piece)) expect(frame.body.length).toBeLessThanOrEqual(LIMITS.maxBody);
            expect(parser.pending).toBeLessThanOrEqual(mostHeld(LIMITS));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect((error as Error).message).toMatch(/^[^\n\r\0]{1,300}$/);
          // From here on nothing is read any more, whatever comes.
          for (const more of [bytes, octets('\n'), octets('SEND\n\n\0'), Buffer.alloc(0)]) {
            expect(parser.pending).toBe(0);
            expect(() => [...parser.push(more)]).toThrow(error as Error);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is read otherwise when it is cut otherwise: same frames, same fault, same octets pending', () => {
    const told = ({ frames, fault, pending }: ReturnType<typeof parse>) => ({
      frames,
      pending,
      // How much of an unknown command is quoted is what had arrived.
      fault: fault && [fault.message.replace(/^(Unknown command) .*/, '$1'), fault.tooBig, fault.receipt],
    });
    let faults = 0;
    let frames = 0;
    fc.assert(
      fc.property(version, inputs, cuts, (version, bytes, cuts) => {
        const whole = told(parse(bytes, version, LIMITS));
        faults += whole.fault ? 1 : 0;
        frames += whole.frames.length;
        expect(told(parse(cut(bytes, cuts), version, LIMITS))).toEqual(whole);
        expect(told(parse(cut(bytes, 'each'), version, LIMITS))).toEqual(whole);
      }),
      { numRuns: 3000 },
    );
    expect(faults).toBeGreaterThan(300);
    expect(frames).toBeGreaterThan(300);
  });

  it('is read otherwise when the iteration is broken off after each frame', () => {
    fc.assert(
      fc.property(version, hostile, (version, bytes) => {
        const parser = new Parser(LIMITS);
        parser.version = version;
        const frames: unknown[] = [];
        const next = (chunk: Buffer) => {
          for (const frame of parser.push(chunk)) return frames.push(plain(frame));
          return 0;
        };
        try {
          let more = next(bytes);
          while (more) more = next(Buffer.alloc(0));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
        expect(frames).toEqual(parse(bytes, version, LIMITS).frames);
      }),
      RUNS,
    );
  });

  it('is read otherwise than by a second reader of the specifications: same frames, same end', () => {
    const ends = { fault: 0, unfinished: 0, whole: 0 };
    fc.assert(
      fc.property(version, inputs, fc.option(fc.nat()), cuts, (version, input, end, cuts) => {
        const bytes = end === null ? input : input.subarray(0, end % (input.length + 1)); // in the middle of anything
        const expected = read(bytes, version, LIMITS);
        const parser = new Parser(LIMITS);
        parser.version = version;
        const frames: unknown[] = [];
        let fault = false;
        try {
          for (const piece of cut(bytes, cuts)) {
            for (const frame of parser.push(piece)) {
              frames.push(plain(frame));
              // None of them says accept-version.
              if (frame.command === 'CONNECT' || frame.command === 'STOMP') parser.version = '1.0';
            }
          }
        } catch {
          fault = true;
        }
        const theirs = expected.frames.map(({ command, headers, body }) => ({
          command,
          headers,
          body: body.toString('latin1'),
        }));
        expect({ frames, fault, pending: parser.pending }).toEqual({
          frames: theirs,
          fault: expected.fault,
          pending: expected.fault ? 0 : expected.held,
        });
        ends[fault ? 'fault' : expected.next ? 'unfinished' : 'whole']++;
      }),
      { numRuns: 10_000 },
    );
    for (const [end, count] of Object.entries(ends)) expect(count, end).toBeGreaterThan(100);
  });

  it('costs more than it has: octets one by one, and a length that is only announced', () => {
    const parser = new Parser();
    parser.version = '1.2';
    const feed = (bytes: Buffer) => {
      for (const octet of cut(bytes, 'each')) expect([...parser.push(octet)]).toEqual([]);
    };
    feed(octets('SEND\ncontent-length:1048576\n\n'));
    const before = process.memoryUsage().arrayBuffers;
    feed(Buffer.alloc(10_000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(512 * 1024);
    expect(parser.pending).toBe('SEND\ncontent-length:1048576\n\n'.length + 10_000);
  });
});
