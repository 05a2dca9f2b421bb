import { describe, expect, test } from 'vitest';
import { newActionId, newId } from '../../src/common/ids.ts';

describe('newId', () => {
  test('20,000 of them: 16 characters of base64url, none begins with -, none twice', () => {
    const ids = Array.from({ length: 20_000 }, newId);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{15}$/);
    expect(new Set(ids).size).toBe(ids.length);
    // All 63 first characters and all 64 others occur: the bits are random in every place.
    for (let at = 0; at < 16; at++) expect(new Set(ids.map((id) => id[at])).size).toBe(at === 0 ? 63 : 64);
  });
});

describe('newActionId', () => {
  test('26 characters of Crockford base 32, none twice in the same millisecond', () => {
    const ids = Array.from({ length: 5000 }, () => newActionId(1_763_761_914_123));
    for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.slice(0, 10))).size).toBe(1);
  });

  test('sorts by time', () => {
    const times = [0, 1, 31, 32, 1023, 1024, 1_763_761_914_123, 1_763_761_914_124, 2 ** 41, 2 ** 48 - 1];
    const ids = times.map((time) => newActionId(time));
    expect(ids.toSorted()).toEqual(ids);
    expect(newActionId(2 ** 48 - 1).slice(0, 10)).toBe('7ZZZZZZZZZ');
  });

  test('is of now when nothing else is said', () => {
    const before = newActionId(Date.now());
    const now = newActionId();
    expect(now.slice(0, 10) >= before.slice(0, 10)).toBe(true);
    expect(now.slice(0, 10) <= newActionId(Date.now()).slice(0, 10)).toBe(true);
  });
});
