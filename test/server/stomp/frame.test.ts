import { describe, expect, it } from 'vitest';
import { Headers, ownHeader, VERSIONS } from '../../../src/server/stomp/frame.ts';
import { headers } from './helpers.ts';

describe('Headers', () => {
  it('the first of repeated headers wins and all are kept in order (1.2 Repeated Header Entries)', () => {
    const repeated = headers(['foo', 'World'], ['bar', '1'], ['foo', 'Hello']);
    expect(repeated.get('foo')).toBe('World');
    expect([...repeated]).toEqual([
      ['foo', 'World'],
      ['bar', '1'],
      ['foo', 'Hello'],
    ]);
    expect(repeated.size).toBe(3);
  });

  it('names are case-sensitive (1.2 STOMP Frames)', () => {
    expect(headers(['Destination', '/a']).has('destination')).toBe(false);
  });

  it('names of Object.prototype are names like others', () => {
    const empty = new Headers();
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(empty.get(name)).toBeUndefined();
      expect(empty.has(name)).toBe(false);
      expect(headers([name, 'x']).get(name)).toBe('x');
    }
  });

  it('an empty value is there', () => {
    expect(headers(['a', '']).has('a')).toBe(true);
    expect(headers(['a', '']).get('a')).toBe('');
  });

  it('of() leaves undefined out and writes numbers', () => {
    expect([...Headers.of({ a: 'x', b: undefined, c: 7 })]).toEqual([
      ['a', 'x'],
      ['c', '7'],
    ]);
  });

  it('append gives the same headers back and does not touch the lines it was made from', () => {
    const lines: [string, string][] = [['a', '1']];
    const made = new Headers(lines);
    expect(made.append('b', '2')).toBe(made);
    expect(lines).toHaveLength(1);
  });
});

describe('ownHeader', () => {
  const frame = { command: 'SUBSCRIBE', headers: headers(['ack', '  client '], ['t', '\tx']), body: Buffer.alloc(0) };

  it('1.0: strips the spaces after the colon and nothing else', () => {
    expect(ownHeader(frame, 'ack', '1.0')).toBe('client ');
    expect(ownHeader(frame, 't', '1.0')).toBe('\tx');
    expect(ownHeader(frame, 'id', '1.0')).toBeUndefined();
  });

  it.each(['1.1', '1.2'] as const)('%s: headers are never trimmed (Value Encoding)', (version) => {
    expect(ownHeader(frame, 'ack', version)).toBe('  client ');
  });
});

it('the versions are listed best first', () => {
  expect(VERSIONS).toEqual(['1.2', '1.1', '1.0']);
});
