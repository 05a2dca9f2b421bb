import { describe, expect, it } from 'vitest';
import { VERSIONS } from '../../../src/server/stomp/frame.ts';
import { faultOf, octets, one, parse } from './helpers.ts';

const LATER = ['1.1', '1.2'] as const;

describe('frames (1.2 STOMP Frames)', () => {
  it.each(VERSIONS)('%s: command, headers, blank line, body, NUL', (version) => {
    expect(one('SEND\ndestination:/queue/a\nfoo:bar\n\nhello\n\0', version)).toEqual({
      command: 'SEND',
      headers: [
        ['destination', '/queue/a'],
        ['foo', 'bar'],
      ],
      body: 'hello\n',
    });
  });

  it.each(VERSIONS)('%s: every client command, and no other', (version) => {
    const commands = 'CONNECT STOMP SEND SUBSCRIBE UNSUBSCRIBE ACK NACK BEGIN COMMIT ABORT DISCONNECT'.split(' ');
    for (const command of commands) expect(one(`${command}\n\n\0`, version).command).toBe(command);
    const others = ['MESSAGE', 'CONNECTED', 'RECEIPT', 'ERROR', 'send', 'Send', 'SENDS', ' SEND', 'SEND ', 'S', '\0'];
    for (const other of [...others, 'constructor', '__proto__', '\u00e9', '\ufeffSEND']) {
      expect(faultOf(`${other}\n\n\0`, version).message, other).toMatch(/^Unknown command/);
    }
  });

  it.each(VERSIONS)('%s: an unknown command is a fault at its first impossible octet', (version) => {
    expect(faultOf('G', version).tooBig).toBe(false);
    expect(faultOf('SENT', version).tooBig).toBe(false);
    expect(faultOf('UNSUBSCRIBED', version).tooBig).toBe(false);
    expect(parse('SEN', version)).toMatchObject({ fault: undefined, pending: 3 });
  });

  it.each(VERSIONS)('%s: LF and CRLF between frames are heart-beats and yield nothing', (version) => {
    const { frames, fault, pending } = parse('\n\r\n\nBEGIN\n\n\0\n\r\n\r\n\nABORT\n\n\0\n\n', version);
    expect(frames.map((frame) => frame.command)).toEqual(['BEGIN', 'ABORT']);
    expect({ fault, pending }).toEqual({ fault: undefined, pending: 0 });
    expect(parse('\n', version).frames).toEqual([]);
  });

  it.each(VERSIONS)('%s: a CR between frames without its LF is a fault', (version) => {
    expect(parse('\r', version).fault).toBeUndefined();
    expect(faultOf('\rBEGIN\n\n\0', version).tooBig).toBe(false);
    expect(faultOf('\r\r\n', version).tooBig).toBe(false);
  });
});

describe('line ends (1.2 Augmented BNF: EOL = [CR] LF)', () => {
  it('1.2: CRLF and LF may be mixed, a body keeps its own', () => {
    expect(one('SEND\r\na:b\r\nc:d\n\r\n\r\nx\r\n\0', '1.2')).toEqual({
      command: 'SEND',
      headers: [
        ['a', 'b'],
        ['c', 'd'],
      ],
      body: '\r\nx\r\n',
    });
  });

  it.each(['SEND\na:b\rc\n\n\0', 'SEND\na\r:b\n\n\0', 'SEND\na:b\r\r\n\n\0', 'SEND\n\rx', 'SEND\r\r\n', 'SEND\n\0'])(
    '1.2: %j has a CR or NUL where none may be',
    (input) => {
      expect(faultOf(input, '1.2').tooBig).toBe(false);
    },
  );

  it.each(['1.0', '1.1'] as const)('%s: lines end in LF alone; a CR is part of the value', (version) => {
    expect(one('SEND\na:b\r\nc:\rd\n\n\0', version).headers).toEqual([
      ['a', 'b\r'],
      ['c', '\rd'],
    ]);
    expect(faultOf('SEND\r\na:b\n\n\0', version).message).toBe(`Unknown command "SEND\\r" in STOMP ${version}`);
    expect(faultOf('SEND\na:b\r\n\r\n\0', version).message).toContain('no colon');
  });

  it.each(VERSIONS)('%s: CONNECT and STOMP come before the version is known and may have CRLF', (version) => {
    for (const command of ['CONNECT', 'STOMP']) {
      const frame = one(`${command}\r\naccept-version:1.2\r\nhost:a\n\r\n\0\r\n`, version);
      expect(frame).toEqual({
        command,
        headers: [
          ['accept-version', '1.2'],
          ['host', 'a'],
        ],
        body: '',
      });
    }
  });
});

describe('escapes (1.1 and 1.2 Value Encoding)', () => {
  it('1.0 has none: a backslash is a backslash', () => {
    expect(one('SEND\na\\c:b\\n\\t\\\n\n\0', '1.0').headers).toEqual([['a\\c', 'b\\n\\t\\']]);
  });

  it.each(LATER)('%s: \\n \\c \\\\ in values and names', (version) => {
    expect(one('SEND\na\\cb\\n:c\\nd\\ce\\\\f\n\n\0', version).headers).toEqual([['a:b\n', 'c\nd:e\\f']]);
  });

  it.each(LATER)('%s: decodes in one pass', (version) => {
    expect(one('SEND\na:\\\\n\\\\\\n\n\n\0', version).headers).toEqual([['a', '\\n\\\n']]);
  });

  it('\\r is CR in 1.2 and undefined in 1.1', () => {
    expect(one('SEND\na:b\\r\n\n\0', '1.2').headers).toEqual([['a', 'b\r']]);
    expect(faultOf('SEND\na:b\\r\n\n\0', '1.1').message).toContain('"\\\\r"');
  });

  it.each(LATER)('%s: an undefined escape is fatal', (version) => {
    for (const line of ['a:\\t', 'a:\\', 'a:\\N', 'a\\x:b', 'a\\:b', 'a:\\é', 'a:\\\\\\']) {
      expect(faultOf(`SEND\n${line}\n\n\0`, version).message, line).toMatch(/^Undefined escape/);
    }
  });

  it.each(VERSIONS)('%s: CONNECT and STOMP are never unescaped', (version) => {
    for (const command of ['CONNECT', 'STOMP']) {
      expect(one(`${command}\nlogin:a\\cb\\t\n\n\0`, version).headers).toEqual([['login', 'a\\cb\\t']]);
    }
  });
});

describe('header lines', () => {
  it.each(VERSIONS)('%s: without a colon, or without a name: fatal', (version) => {
    expect(faultOf('SEND\nabc\n\n\0', version).message).toBe('A header of SEND has no colon: "abc"');
    expect(faultOf('SEND\n:abc\n\n\0', version).message).toBe('A header of SEND has no name: ":abc"');
  });

  it.each(VERSIONS)('%s: the first colon splits, others belong to the value; nothing is trimmed', (version) => {
    expect(one('SEND\n a : b:c \nd:\n\n\0', version).headers).toEqual([
      [' a ', ' b:c '],
      ['d', ''],
    ]);
  });

  it.each(VERSIONS)('%s: must be UTF-8', (version) => {
    expect(one('SEND\nключ:€\ufffd\ufeff\n\n\0', version).headers).toEqual([['ключ', '€\ufffd\ufeff']]);
    for (const bad of ['a:\xff', '\xc3:a', 'a:\xc0\x80', 'a:\xed\xa0\x80', 'a:\xe2\x82']) {
      expect(faultOf(octets(`SEND\n${bad}\n\n\0`), version).message).toBe('A header of SEND is not valid UTF-8');
    }
  });

  it.each(VERSIONS)('%s: NUL before the blank line is a fault at once, not a wait for more', (version) => {
    expect(faultOf('SEND\ndestination:/a\0', version).message).toContain('no blank line');
    expect(faultOf('DISCONNECT\n\0', version).message).toContain('no blank line');
  });

  it.each(VERSIONS)('%s: names of Object.prototype are harmless', (version) => {
    const lines: [string, string][] = [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ];
    const text = lines.map((line) => line.join(':')).join('\n');
    expect(one(`SEND\n${text}\n\n\0`, version).headers).toEqual(lines);
  });
});

describe('version', () => {
  it('is 1.0 at the start, and a change between two frames of one chunk takes effect on the second', async () => {
    const { Parser } = await import('../../../src/server/stomp/parser.ts');
    const parser = new Parser();
    expect(parser.version).toBe('1.0');
    const values: unknown[] = [];
    for (const frame of parser.push(Buffer.from('CONNECT\na:\\c\n\n\0SEND\na:\\c\n\n\0SEND\na:\\c\n\n\0'))) {
      values.push(frame.headers.get('a'));
      if (frame.command === 'CONNECT') parser.version = '1.1';
      else parser.version = '1.0';
    }
    expect(values).toEqual(['\\c', ':', '\\c']);
  });

  it('a change inside a frame waits for the next one', async () => {
    const { Parser } = await import('../../../src/server/stomp/parser.ts');
    const parser = new Parser();
    parser.version = '1.1';
    expect([...parser.push(Buffer.from('SEND\na:'))]).toEqual([]);
    parser.version = '1.0';
    const values = [...parser.push(Buffer.from('\\c\n\n\0SEND\na:\\c\n\n\0'))].map((frame) => frame.headers.get('a'));
    expect(values).toEqual([':', '\\c']);
  });
});
