/** Lines: cut, filled and laid over each other without half a character. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cut,
  draw,
  fill,
  flow,
  line,
  over,
  slice,
  span,
  spread,
  widthOf,
} from '../../../../src/cli/dashboard/screen/line.ts';

const textOf = (one: ReturnType<typeof line>) => one.map(({ text }) => text).join('');
const PIECES = ['a', 'bc', '김', '철수', '🙂', '👨‍👩‍👧‍👦', 'é', ' ', '…'];
const lines = fc
  .array(fc.array(fc.constantFrom(...PIECES)).map((pieces) => span(pieces.join(''))))
  .map((spans) => line(...spans));

describe('a line', () => {
  test('cut: at most as wide, whole when it fits, else with a …', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 40 }), (one, width) => {
        const short = cut(one, width);
        expect(widthOf(short)).toBeLessThanOrEqual(width);
        if (widthOf(one) <= width) expect(textOf(short)).toBe(textOf(one));
        else expect(textOf(short).endsWith('…')).toBe(true);
      }),
    );
  });

  test('fill and slice: exactly as wide', () => {
    fc.assert(
      fc.property(lines, fc.nat(30), fc.nat(30), (one, from, length) => {
        expect(widthOf(fill(one, length))).toBe(length);
        expect(widthOf(slice(fill(one, 60), from, from + length))).toBe(length);
      }),
    );
  });

  test('over: what is above stands whole in its place, and the line is as wide as it was', () => {
    fc.assert(
      fc.property(lines, lines, fc.nat(20), (under, above, at) => {
        const width = at + widthOf(above) + 10;
        const both = over(under, above, at, width);
        expect(widthOf(both)).toBe(width);
        expect(textOf(slice(both, at, at + widthOf(above)))).toBe(textOf(above));
      }),
    );
  });

  test('half of a wide character is a space', () => {
    expect(textOf(slice(line('김철수'), 1, 5))).toBe(' 철 ');
    expect(textOf(over(line('김철수'), line('|'), 1, 6))).toBe(' |철수');
  });

  test('spread: the right gives way to the left', () => {
    expect(textOf(spread(line('left'), line('right'), 12))).toBe('left   right');
    expect(textOf(spread(line('left'), line('right'), 9))).toBe('left     ');
    expect(textOf(spread(line('left'), line('right'), 3))).toBe('le…');
    expect(textOf(spread(line('a'), line('b'), 5, '─'))).toBe('a───b');
  });

  test('flow: as many parts as fill, from the left', () => {
    expect(textOf(flow([line('one'), line('two'), line('three')], 9, ' '))).toBe('one two');
  });

  test('draw: colours where they are wanted; bold and inverse always', () => {
    const one = line('a', span('b', 'hurts'), span('c', 'here'), span('d', 'fresh'));
    expect(draw(one, true)).toBe('a\x1b[1;31mb\x1b[0m\x1b[7;36mc\x1b[0m\x1b[32md\x1b[0m');
    expect(draw(one, false)).toBe('a\x1b[1mb\x1b[0m\x1b[7mc\x1b[0md');
  });
});
