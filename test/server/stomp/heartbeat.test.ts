import { describe, expect, it } from 'vitest';
import { agree, parseHeartBeat } from '../../../src/server/stomp/heartbeat.ts';
import { ProtocolError } from '../../../src/server/stomp/parser.ts';

describe('parseHeartBeat (1.2 Heart-beating)', () => {
  it('a missing header is 0,0', () => {
    expect(parseHeartBeat(undefined)).toEqual({ send: 0, receive: 0 });
  });

  it('the first number is what the sender can do, the second what it wants', () => {
    expect(parseHeartBeat('10000,0')).toEqual({ send: 10000, receive: 0 });
    expect(parseHeartBeat('0,007')).toEqual({ send: 0, receive: 7 });
  });

  it('any number of digits is a number, clamped to the largest safe integer', () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(parseHeartBeat(`${'9'.repeat(20)},${'9'.repeat(5000)}`)).toEqual({ send: most, receive: most });
    expect(parseHeartBeat(`${most},0`).send).toBe(most);
  });

  it.each([
    '',
    '1',
    '1,',
    ',1',
    '1,2,3',
    '-1,0',
    '+1,0',
    '1.5,0',
    '1e3,0',
    '0x10,0',
    'a,b',
    ' 1,0',
    '1, 0',
    '1,0\n',
    '٣,0',
    'NaN,NaN',
    'Infinity,0',
  ])('%j is a protocol error', (header) => {
    expect(() => parseHeartBeat(header)).toThrow(ProtocolError);
  });

  it('the error quotes at most 64 characters of the header, on one line', () => {
    const message = (() => {
      try {
        parseHeartBeat(`\n${'x'.repeat(1000)}`);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    })();
    expect(message).toContain('\\nxxx');
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThan(160);
  });
});

describe('agree (1.2 Heart-beating)', () => {
  it('each way apart, the larger of what one can and the other wants', () => {
    expect(agree({ send: 10, receive: 20 }, { send: 30, receive: 5 })).toEqual({ send: 10, receive: 30 });
    expect(agree({ send: 10, receive: 20 }, { send: 5, receive: 40 })).toEqual({ send: 40, receive: 20 });
  });

  it('0 on either side turns that way off, and only that', () => {
    expect(agree({ send: 0, receive: 20 }, { send: 30, receive: 5 })).toEqual({ send: 0, receive: 30 });
    expect(agree({ send: 10, receive: 20 }, { send: 30, receive: 0 })).toEqual({ send: 0, receive: 30 });
    expect(agree({ send: 10, receive: 0 }, { send: 30, receive: 5 })).toEqual({ send: 10, receive: 0 });
    expect(agree({ send: 10, receive: 20 }, { send: 0, receive: 5 })).toEqual({ send: 10, receive: 0 });
  });
});
