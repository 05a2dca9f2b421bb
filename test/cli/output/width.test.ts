/** The quick way to measure text says what the thorough one says. */
import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { displayWidth } from '../../../src/cli/output/width.ts';

const PIECES = [
  'a',
  ' ',
  '~',
  '·',
  '…',
  '←',
  '↓',
  '─',
  '┃',
  '█',
  '░',
  '▏',
  '▸',
  '●',
  '◐',
  '✕',
  '✓',
  '가',
  '힣',
  '김',
  'ᄀ',
  '🙂',
  '\u0301',
  '한',
];

test('as string-width measures it', () => {
  for (const piece of PIECES) expect(displayWidth(piece), piece).toBe(stringWidth(piece));
  for (let code = 0x2500; code <= 0x259f; code++) {
    expect(displayWidth(String.fromCharCode(code))).toBe(stringWidth(String.fromCharCode(code)));
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES)), (pieces) => {
      const text = pieces.join('');
      expect(displayWidth(text)).toBe(stringWidth(text));
      expect(displayWidth(`\x1b[1;31m${text}\x1b[0m`)).toBe(stringWidth(text));
    }),
  );
});
