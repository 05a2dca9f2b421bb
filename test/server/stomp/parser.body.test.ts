import { describe, expect, it } from 'vitest';
import { VERSIONS } from '../../../src/server/stomp/frame.ts';
import { DEFAULT_LIMITS, Parser, ProtocolError } from '../../../src/server/stomp/parser.ts';
import { cut, faultOf, octets, one, parse } from './helpers.ts';

const LATER = ['1.1', '1.2'] as const;
const LIMITS = { maxHeaders: 3, maxHeaderBytes: 20, maxBody: 8 };

describe('content-length (1.2 Header content-length)', () => {
  it.each(VERSIONS)('%s: counts octets, and NUL inside is part of the body', (version) => {
    expect(one('SEND\ncontent-length:5\n\n€é\0', version).body).toBe('\xe2\x82\xac\xc3\xa9');
    expect(one('SEND\ncontent-length:4\n\n\0a\0\0\0', version).body).toBe('\0a\0\0');
    expect(one('SEND\ncontent-length:000\n\n\0', version).body).toBe('');
  });

  it.each(VERSIONS)('%s: without it the body ends at the first NUL', (version) => {
    expect(one('SEND\n\nab\n\0\n', version).body).toBe('ab\n');
  });

  it.each(VERSIONS)('%s: the first of repeated ones wins', (version) => {
    expect(one('SEND\ncontent-length:2\ncontent-length:9\n\nab\0', version).body).toBe('ab');
    expect(faultOf('SEND\ncontent-length:x\ncontent-length:2\n\nab\0', version).tooBig).toBe(false);
  });

  it.each(VERSIONS)('%s: the octet behind the body must be NUL', (version) => {
    expect(faultOf('SEND\ncontent-length:2\n\nabc\0', version).message).toContain('content-length of 2 octets');
    expect(faultOf('SEND\ncontent-length:0\n\nx', version).message).toContain('content-length of 0 octets');
    expect(faultOf('SEND\ncontent-length:1\n\n€\0', version).tooBig).toBe(false);
  });

  it.each(VERSIONS)('%s: what is not digits alone is fatal', (version) => {
    for (const bad of ['', '-1', '+1', '1.0', '1e1', '0x1', 'a', '1 1', '١', '1\t', '1,1', 'NaN', 'Infinity']) {
      expect(faultOf(`SEND\ncontent-length:${bad}\n\na\0`, version).message, bad).toContain('is no length');
    }
  });

  it('1.0 pads headers: spaces around the length are tolerated there', () => {
    expect(one('SEND\ncontent-length:  2 \n\na\0\0', '1.0').body).toBe('a\0');
  });

  it.each(LATER)('%s: headers are never trimmed, so a padded length is none', (version) => {
    expect(faultOf('SEND\ncontent-length: 2\n\nab\0', version).message).toContain('is no length');
    expect(faultOf('SEND\ncontent-length:2 \n\nab\0', version).message).toContain('is no length');
  });
});

describe('only SEND may have a body (1.1 and 1.2 Body)', () => {
  const others = 'SUBSCRIBE UNSUBSCRIBE ACK NACK BEGIN COMMIT ABORT DISCONNECT'.split(' ');

  it.each(LATER)('%s: any other is fatal, announced or not', (version) => {
    for (const command of others) {
      expect(faultOf(`${command}\n\nx`, version).message).toBe(`${command} must not have a body`);
      expect(faultOf(`${command}\ncontent-length:1\n\n`, version).message).toBe(`${command} must not have a body`);
      expect(one(`${command}\ncontent-length:0\n\n\0`, version).body).toBe('');
    }
  });

  it('1.0: any frame may, the octets are read', () => {
    for (const command of others) expect(one(`${command}\n\nx\0`, '1.0').body).toBe('x');
  });

  it.each(VERSIONS)('%s: CONNECT and STOMP must not', (version) => {
    expect(faultOf('CONNECT\n\n\n\0', version).message).toBe('CONNECT must not have a body');
    expect(faultOf('STOMP\ncontent-length:3\n\n', version).message).toBe('STOMP must not have a body');
  });
});

describe('limits (1.2 Size Limits)', () => {
  const tooBig = (input: string, limits = LIMITS) => faultOf(input, '1.2', limits).tooBig;
  const pending = (input: string) => {
    const { fault, pending } = parse(input, '1.2', LIMITS);
    return fault ?? pending;
  };

  it('the defaults are 100 headers, 8 KiB a line, 1 MiB of body', () => {
    expect(DEFAULT_LIMITS).toEqual({ maxHeaders: 100, maxHeaderBytes: 8192, maxBody: 1048576 });
  });

  it('number of headers', () => {
    expect(parse('SEND\na:1\na:2\na:3\n\n\0', '1.2', LIMITS).frames).toHaveLength(1);
    expect(tooBig('SEND\na:1\na:2\na:3\na:4\n')).toBe(true);
  });

  it('octets of a header line, without its end, checked before it ends', () => {
    for (const end of ['\n', '\r\n']) {
      expect(parse(`SEND\na:${'x'.repeat(18)}${end}\n\0`, '1.2', LIMITS).frames).toHaveLength(1);
      expect(tooBig(`SEND\na:${'x'.repeat(19)}${end}`)).toBe(true);
    }
    expect(pending(`SEND\na:${'x'.repeat(18)}\r`)).toBe(26);
    expect(tooBig(`SEND\na:${'x'.repeat(19)}`)).toBe(true);
    expect(tooBig('SEND\nxxxxxxxxxxxxxxxxxxxxx')).toBe(true);
    expect(faultOf(`SEND\na:${'x'.repeat(18)}\r`, '1.1', LIMITS).tooBig).toBe(true);
  });

  it('octets as on the wire: an escape counts two, a character its bytes', () => {
    expect(parse(`SEND\na:${'\\n'.repeat(9)}\n\n\0`, '1.2', LIMITS).frames).toHaveLength(1);
    expect(tooBig(`SEND\na:x${'\\n'.repeat(9)}\n`)).toBe(true);
    expect(tooBig(`SEND\na:${'€'.repeat(7)}\n`)).toBe(true);
  });

  it('a body that is too long is refused from the announced length', () => {
    expect(parse('SEND\ncontent-length:8\n\n12345678\0', '1.2', LIMITS).frames).toHaveLength(1);
    expect(tooBig('SEND\ncontent-length:9\n\n')).toBe(true);
    for (const digits of ['9007199254740993', '9'.repeat(400)]) {
      expect(tooBig(`SEND\ncontent-length:${digits}\n\n`, { ...LIMITS, maxHeaderBytes: 1000 })).toBe(true);
    }
  });

  it('a body without a length is refused at the first octet too many', () => {
    expect(parse('SEND\n\n12345678\0', '1.2', LIMITS).frames).toHaveLength(1);
    expect(pending('SEND\n\n12345678')).toBe(14);
    expect(tooBig('SEND\n\n123456789')).toBe(true);
    expect(tooBig('SEND\n\n123456789\0')).toBe(true);
  });

  it('an announced length allocates nothing', () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 500 }, () => new Parser());
    for (const parser of parsers) for (const _ of parser.push(octets('SEND\ncontent-length:1048576\n\nabc')));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
    expect(parsers.every((parser) => parser.pending === 32)).toBe(true);
  });

  it.each(['content-length:1048576\n', ''])('a body of 1 MiB in chunks of one octet takes linear time (%j)', (line) => {
    const parser = new Parser();
    const body = Buffer.alloc(1048576, 'x');
    const frames = [];
    for (const piece of cut(Buffer.concat([octets(`SEND\n${line}\n`), body, octets('\0')]), 'each')) {
      for (const frame of parser.push(piece)) frames.push(frame);
    }
    expect(frames).toHaveLength(1);
    expect(frames[0]?.body.equals(body)).toBe(true);
  });
});

describe('faults', () => {
  it('come after the frames before them, and again on every later call', () => {
    const parser = new Parser();
    const seen: string[] = [];
    const read = (text: string) => {
      for (const frame of parser.push(Buffer.from(text))) seen.push(frame.command);
    };
    expect(() => read('BEGIN\n\n\0oops\n\n\0ABORT\n\n\0')).toThrow(ProtocolError);
    expect(seen).toEqual(['BEGIN']);
    expect(() => read('ABORT\n\n\0')).toThrow('Unknown command "oops" in STOMP 1.0');
    expect(() => read('')).toThrow(ProtocolError);
    expect(seen).toEqual(['BEGIN']);
    expect(parser.pending).toBe(0);
  });

  it('carry the receipt of the frame at fault if it was read, never one of CONNECT', () => {
    expect(faultOf('SEND\nreceipt:r\\c1\nbad\n\n\0', '1.2').receipt).toBe('r:1');
    expect(faultOf('SEND\nreceipt: r1\nbad\n\n\0', '1.0').receipt).toBe('r1');
    expect(faultOf('SEND\nreceipt: r1\nbad\n\n\0', '1.1').receipt).toBe(' r1');
    expect(faultOf('SEND\nreceipt:1\ncontent-length:0\n\nx', '1.2').receipt).toBe('1');
    expect(faultOf('SEND\nbad\nreceipt:1\n\n\0', '1.2').receipt).toBeUndefined();
    expect(faultOf('SEND\nreceipt:1\n\n\0oops\n', '1.2').receipt).toBeUndefined();
    expect(faultOf('CONNECT\nreceipt:1\nbad\n\n\0', '1.2').receipt).toBeUndefined();
  });

  it('say what a client sent quoted, on one line, at most 64 characters of it', () => {
    for (const input of [`SEND\n${'\u0007x'.repeat(500)}\n\n\0`, `X\u0007${'y'.repeat(5000)}`]) {
      const { message } = faultOf(input, '1.2');
      expect(message).toContain('\\u0007');
      expect(message.length).toBeLessThan(300);
      expect([...message].every((char) => char >= ' ')).toBe(true);
    }
  });
});

describe('push', () => {
  const both = Buffer.from('SEND\n\none\0SEND\n\ntwo\0SEND\n\nth');

  it('is lazy: a frame is read when it is asked for', () => {
    const parser = new Parser();
    const frames = parser.push(both);
    expect(parser.pending).toBe(0);
    expect(frames.next().value?.body.toString()).toBe('one');
    expect(frames.next().value?.body.toString()).toBe('two');
    expect(frames.next()).toEqual({ done: true, value: undefined });
    expect(parser.pending).toBe(8);
  });

  it('what a broken off iteration left is read by the next push', () => {
    const parser = new Parser();
    const bodies: string[] = [];
    for (const frame of parser.push(both)) {
      bodies.push(frame.body.toString());
      break;
    }
    expect(parser.pending).toBe(both.length - 10);
    for (const frame of parser.push(Buffer.from('ree\0'))) bodies.push(frame.body.toString());
    expect(bodies).toEqual(['one', 'two', 'three']);
    expect(parser.pending).toBe(0);
  });

  it('bodies are copies, and any Uint8Array is read from where it begins', () => {
    const chunk = new Uint8Array(Buffer.from('..SEND\n\nab\0..')).subarray(2, 11);
    const [frame] = new Parser().push(chunk);
    chunk.fill(0);
    expect(frame?.body.toString()).toBe('ab');
  });

  it('pending counts the octets of an unfinished frame, and nothing between frames', () => {
    const parser = new Parser();
    const counts = ['SE', 'ND\n', 'a:b', '\n\n', 'xy', '\0', '\n', 'A'].map((text) => {
      for (const _ of parser.push(Buffer.from(text)));
      return parser.pending;
    });
    expect(counts).toEqual([2, 5, 8, 10, 12, 0, 0, 1]);
  });
});
