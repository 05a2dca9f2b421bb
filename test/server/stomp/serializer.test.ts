import { describe, expect, it } from 'vitest';
import { Headers, VERSIONS } from '../../../src/server/stomp/frame.ts';
import { serialize, serializeHead, serializeTail } from '../../../src/server/stomp/serializer.ts';
import { headers } from './helpers.ts';

const text = (...args: Parameters<typeof serialize>) => serialize(...args).toString();
const NONE = new Headers();

describe('escapes (1.1 and 1.2 Value Encoding)', () => {
  const nasty = headers(['n:a\\me', 'a\nb:c\\d\re'], ['plain', 'x']);

  it('1.2 escapes backslash, LF, CR and colon, in names too', () => {
    expect(text('MESSAGE', nasty, '', '1.2')).toBe('MESSAGE\nn\\ca\\\\me:a\\nb\\cc\\\\d\\re\nplain:x\n\n\0');
  });

  it('1.1 has no escape for CR: it goes as it is, also at the end, where no line ends with CRLF', () => {
    expect(text('MESSAGE', nasty, '', '1.1')).toBe('MESSAGE\nn\\ca\\\\me:a\\nb\\cc\\\\d\re\nplain:x\n\n\0');
    expect(text('RECEIPT', headers(['receipt-id', 'b\r'], ['c', 'd']), '', '1.1')).toBe(
      'RECEIPT\nreceipt-id:b\r\nc:d\n\n\0',
    );
  });

  it('1.0 has none: backslashes and colons of values go as they are', () => {
    expect(text('MESSAGE', headers(['p\\q', 'C:\\new']), '', '1.0')).toBe('MESSAGE\np\\q:C:\\new\n\n\0');
  });

  it('escapes in one pass: a backslash and an n are not a newline', () => {
    expect(text('MESSAGE', headers(['a', '\\n']), '', '1.2')).toBe('MESSAGE\na:\\\\n\n\n\0');
  });

  it('CONNECTED is never escaped', () => {
    expect(text('CONNECTED', headers(['user-name', 'a\\b:c']), '', '1.2')).toBe('CONNECTED\nuser-name:a\\b:c\n\n\0');
  });
});

describe('a header that the version cannot carry is left out, the body is delivered', () => {
  it('1.0: a newline that a 1.2 sender escaped does not become a header line', () => {
    const forged = headers(['x', 'a\nsubscription:victim'], ['y\nz', '1'], ['k', 'v']);
    expect(text('MESSAGE', forged, 'hi', '1.0')).toBe('MESSAGE\nk:v\ncontent-length:2\n\nhi\0');
  });

  it('1.0: a colon in a name; a CR is an octet like any other', () => {
    expect(text('MESSAGE', headers(['a:b', 'c'], ['d', 'e\r'], ['f', 'g']), '', '1.0')).toBe(
      'MESSAGE\nd:e\r\nf:g\n\n\0',
    );
  });

  it.each(VERSIONS)('CONNECTED to %s: any LF or CR, a colon in a name', (version) => {
    const unfit = headers(['user-name', 'a\nb'], ['c', 'd\re'], ['f:g', 'h'], ['i\r', 'j'], ['k\n', 'l'], ['m', 'n']);
    expect(text('CONNECTED', unfit, '', version)).toBe('CONNECTED\nm:n\n\n\0');
  });

  it.each(VERSIONS)('%s: NUL, at which stompjs 2 would begin a new frame; an empty name', (version) => {
    const unfit = headers(['a', '\0MESSAGE'], ['b\0', 'c'], ['', 'd'], ['e', '']);
    expect(text('MESSAGE', unfit, '', version)).toBe('MESSAGE\ne:\n\n\0');
    expect(text('CONNECTED', unfit, '', version)).toBe('CONNECTED\ne:\n\n\0');
  });
});

describe('content-length (1.2 Header content-length)', () => {
  it.each(VERSIONS)('%s: counts octets, for text and for bytes', (version) => {
    const expected = Buffer.from('MESSAGE\ncontent-length:5\n\n€é\0');
    expect(serialize('MESSAGE', NONE, '€é', version)).toEqual(expected);
    expect(serialize('MESSAGE', NONE, Buffer.from('€é'), version)).toEqual(expected);
  });

  it('covers a body that holds NUL or is no text', () => {
    const bytes = serialize('MESSAGE', NONE, Buffer.from([0, 255, 0]), '1.2');
    expect(bytes.toString('latin1')).toBe('MESSAGE\ncontent-length:3\n\n\0\xff\0\0');
  });

  it('replaces any that is given, and is none for an empty body', () => {
    const given = headers(['content-length', '999'], ['a', 'b'], ['content-length', ' 1']);
    expect(text('MESSAGE', given, 'xy', '1.1')).toBe('MESSAGE\na:b\ncontent-length:2\n\nxy\0');
    expect(text('MESSAGE', given, '', '1.1')).toBe('MESSAGE\na:b\n\n\0');
  });
});

it('repeated headers and the order of the lines are kept', () => {
  expect(text('MESSAGE', headers(['b', '1'], ['a', '2'], ['b', '3']), '', '1.2')).toBe('MESSAGE\nb:1\na:2\nb:3\n\n\0');
});

it.each(VERSIONS)('%s: names and values are UTF-8 and never padded', (version) => {
  expect(text('MESSAGE', headers(['ключ', ' знач ']), '', version)).toBe('MESSAGE\nключ: знач \n\n\0');
});

it.each(VERSIONS)('%s: a head and a tail make the frame that serialize makes', (version) => {
  const head = headers(['subscription', 'sub:0']);
  const tail = headers(['a\nb', 'c:d'], ['content-length', '9']);
  const whole = serialize('MESSAGE', new Headers([...head, ...tail]), 'body', version);
  const parts = [serializeHead('MESSAGE', head, version), serializeTail(tail, 'body', version)];
  expect(Buffer.concat(parts)).toEqual(whole);
});
