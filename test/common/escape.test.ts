import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutUtf8, headline, safeJson, visible } from '../../src/common/escape.ts';

/** Said here in other words than in the code: what must never reach a terminal. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u115F\u1160\u3164\uFFA0]/u;
const EMOJI_WITH_ZWJ = /\p{Extended_Pictographic}(?:[\uFE0F\u{1F3FB}-\u{1F3FF}]?\u200D\p{Extended_Pictographic})+/gu;

const PIECES = [
  ...'\u001b[31m|\u001b]0;x\u0007|\u009b2J|\n|\r|\t|\0|\u007f|\u0085|\u00ad|\u200b|\u200d|\u202e|\u2066'.split('|'),
  ...'\u2028|\u2029|\ufeff|\u{e0041}|\u3164|\ud800|\udc00|\u0301|\u0489|\ufe0f|\u{1f3fd}'.split('|'),
  ...'👩|❤|💻|🫠|김|a|\\|"|…'.split('|'),
];
const piece = fc.constantFrom(...PIECES);
const unit = fc.oneof(
  piece,
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit, maxLength: 40 }),
  fc.string({ unit: piece, maxLength: 80 }),
);

describe('visible', () => {
  test.each([
    ['a\nb\rc\td', 'a\\nb\\rc\\td'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['\0\u007f\u009b\u00ad', '\\x00\\x7f\\x9b\\xad'],
    ['a\u202eb\u200bc\ufeff', 'a\\u{202e}b\\u{200b}c\\u{feff}'],
    ['\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ud83d!', '\\u{d83d}!'],
    ['!\ude00', '!\\u{de00}'],
    ['\u3164', '\\u{3164}'],
    ['a\u200db', 'a\\u{200d}b'],
    ['👩\u200d', '👩\\u{200d}'],
    ['\u200d👩', '\\u{200d}👩'],
    ['👩\u200d👩\u200d👩\u200d👩\u200d👩', '👩\u200d👩\u200d👩\u200d👩\\u{200d}👩'],
    [`z${'\u0301'.repeat(9)}a`, `z${'\u0301'.repeat(8)}…a`],
    [`z${'\u0301\u0489'.repeat(500)}`, `z${'\u0301\u0489'.repeat(4)}…`],
  ])('%j becomes %j', (raw, shown) => {
    expect(visible(raw)).toBe(shown);
  });

  test.each([
    ...'|cust01|DOMAIN\\user|상담원 김|é|e\u0301|ก็้'.split('|'),
    ...'🫠|👍🏽|🇰🇷|1️⃣|👩‍💻|👩🏽‍💻|👨‍👩‍👧‍👦|❤️‍🔥|👩‍❤️‍💋‍👨|🏳️‍🌈|🐦‍⬛'.split('|'),
    `z${'\u0301'.repeat(8)}`,
  ])('%j stays', (raw) => {
    expect(visible(raw)).toBe(raw);
  });

  test('leaves nothing harmful, whatever comes in', () => {
    fc.assert(
      fc.property(text, (raw) => {
        const shown = visible(raw);
        expect(shown.replace(EMOJI_WITH_ZWJ, '')).not.toMatch(HARMFUL);
        expect(shown).not.toMatch(/\p{M}{9}/u);
      }),
      { numRuns: 2000 },
    );
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(text, (raw) => {
        expect(visible(visible(raw))).toBe(visible(raw));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('safeJson', () => {
  test('parses to the same value and holds nothing harmful', () => {
    const value = fc.object({ key: text, values: [text, fc.integer(), fc.constant(null), fc.boolean()] });
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 0, 2), (before, indent) => {
        const json = safeJson(before, indent);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(before)));
        expect(indent ? json.replaceAll('\n', '') : json).not.toMatch(HARMFUL);
      }),
      { numRuns: 1000 },
    );
  });

  test('writes what it escapes as \\uXXXX, by UTF-16 unit', () => {
    expect(safeJson('\u007f\u009b\u2028\u{e0041}\ud800\u001b')).toBe(
      '"\\u007f\\u009b\\u2028\\udb40\\udc41\\ud800\\u001b"',
    );
  });

  test('leaves readable text and the indentation alone', () => {
    expect(safeJson({ user: '상담원 김 🫠' })).toBe('{"user":"상담원 김 🫠"}');
    expect(safeJson({ a: [1] }, 2)).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(safeJson(undefined)).toBe('null');
  });
});

describe('cutUtf8', () => {
  test.each([
    ['abc', 2, 'ab'],
    ['abc', 3, 'abc'],
    ['abc', 0, ''],
    ['é', 1, ''],
    ['김치', 5, '김'],
    ['a😀b', 4, 'a'],
    ['a😀b', 5, 'a😀'],
    ['a\ud800b', 3, 'a'],
    ['a\ud800b', 4, 'a\ud800'],
  ])('%j to %i bytes is %j', (raw, max, cut) => {
    expect(cutUtf8(raw, max)).toBe(cut);
  });

  test('is the longest beginning of whole characters that fits', () => {
    fc.assert(
      fc.property(text, fc.nat(130), (raw, max) => {
        const cut = cutUtf8(raw, max);
        expect(raw.startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max);
        const [next = ''] = raw.slice(cut.length);
        expect([...cut, ...raw.slice(cut.length)]).toEqual([...raw]);
        if (next) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(max);
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([
  ['one line', 'one line'],
  [' \n\t first \r\nsecond', 'first'],
  ['a\u2028b', 'a'],
  ['\0\x1b[2J', '\\x00\\x1b[2J'],
  [' \n ', ''],
])('headline of %j is %j', (text, line) => {
  expect(headline(text)).toBe(line);
});
