import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAge, formatDuration, parseDuration, rfc3339 } from '../../src/common/time.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const LONGEST = 3650 * D;

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['2s', 2 * S],
    ['15m', 15 * M],
    ['24h', D],
    ['7d', 7 * D],
    ['90m', 90 * M],
    ['1h30m', 90 * M],
    ['1d2h3m4s5ms', D + 2 * H + 3 * M + 4 * S + 5],
    ['1m500ms', M + 500],
    ['90', 90 * S],
    ['0', 0],
    ['0s', 0],
    ['007s', 7 * S],
    ['3650d', LONGEST],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ...'| |1.5h|-5s|+5s|5 s| 5s|5s\n|5S|s|ms|30m1h|1h1h|5w|1h30|٥s|0x10|1e3|NaN|Infinity|3650d1ms|3651d'.split('|'),
    '9'.repeat(400),
    `${'9'.repeat(400)}d`,
  ])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [500, '500ms'],
    [2 * S, '2s'],
    [90 * S, '1m30s'],
    [90 * M, '1h30m'],
    [D, '24h'],
    [2 * D - 1, '47h59m59s999ms'],
    [2 * D, '2d'],
    [7 * D, '7d'],
    [-1, '0s'],
    [Number.NaN, '0s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('is read back to the same value', () => {
    const anyMs = fc.oneof(fc.nat(10 * S), fc.nat(2 * D), fc.integer({ min: 0, max: LONGEST }));
    fc.assert(
      fc.property(anyMs, fc.constantFrom(1, S, M, H, D), (ms, step) => {
        const exact = ms - (ms % step);
        expect(parseDuration(formatDuration(exact))).toBe(exact);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatAge', () => {
  test.each([
    [0, '0s'],
    [999, '0s'],
    [3 * S, '3s'],
    [59_999, '59s'],
    [M, '1m'],
    [62 * S, '1m2s'],
    [9 * M + 59 * S, '9m59s'],
    [10 * M + 59 * S, '10m'],
    [6 * M, '6m'],
    [41 * M + 5 * S, '41m'],
    [2 * H + 14 * M + 9 * S, '2h14m'],
    [3 * H + 59 * S, '3h'],
    [D - 1, '23h59m'],
    [D, '24h'],
    [2 * D - 1, '47h59m'],
    [2 * D + 4 * H + 59 * M, '2d4h'],
    [5 * D + 59 * M, '5d'],
    [10 * D + 23 * H, '10d'],
    [400 * D, '400d'],
    [-5, '0s'],
    [Number.NaN, '0s'],
    [3 * S + 0.5, '3s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });

  test('never says more than has passed, nor loses a tenth of it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(H), fc.nat(20 * D), fc.integer({ min: 0, max: LONGEST })), (ms) => {
        const said = parseDuration(formatAge(ms)) ?? Number.NaN;
        expect(said).toBeLessThanOrEqual(ms);
        expect(said).toBeGreaterThanOrEqual(ms >= 10 * S ? ms * 0.9 : ms - S);
      }),
      { numRuns: 1000 },
    );
  });
});

test('rfc3339 is UTC with milliseconds', () => {
  expect(rfc3339(Date.UTC(2026, 10, 21, 23, 2, 5, 123))).toBe('2026-11-21T23:02:05.123Z');
  expect(rfc3339(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(() => rfc3339(Number.NaN)).toThrow(RangeError);
});
