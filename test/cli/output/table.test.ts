import CliTable from 'cli-table3';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Column, Style } from '../../../src/cli/output/columns.ts';
import { type TableOptions, table } from '../../../src/cli/output/table.ts';
import { cutToWidth, displayWidth, wrapToWidth } from '../../../src/cli/output/width.ts';

type Row = string[];

const TERMINAL: TableOptions = { tty: true, width: 80, color: false, headers: true, wide: false };
const BARE: TableOptions = { ...TERMINAL, headers: false };
const PIPE: TableOptions = { ...TERMINAL, tty: false };

/** Columns over the cells of a row: A, B, C … */
function columns(count: number, traits: Partial<Column<Row>>[] = []): Column<Row>[] {
  return Array.from({ length: count }, (_, at) => ({
    name: String.fromCharCode(65 + at),
    value: (row) => row[at] ?? '',
    ...traits[at],
  }));
}

const FAMILY = '👨‍👩‍👧‍👦';
const WIDE = ['김', '상담', '🫠', '👩🏽‍💻', FAMILY, '🇰🇷', '1️⃣', 'é', 'e\u0301', '한', 'a', '-'];
const PIECES = [
  ...'\u001b[31m|\u001b]8;;x\u0007|\u009b|\n|\r\n|\t| |\u200d|\u202e|\u0301|\u0903|\ufe0f|\u20e3|\u3164|\ud83d'.split(
    '|',
  ),
  ...'ᄀ|ᅡ|ﾞ|🇰|…|x|xx|1'.split('|'),
  ...WIDE,
];
const cellText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...PIECES), maxLength: 30 }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
);
const rowsOf = (count: number) =>
  fc.array(fc.array(cellText, { minLength: count, maxLength: count }), { maxLength: 20 });
const STYLES: (Style | undefined)[] = [undefined, 'dim', 'red', 'yellow', 'green', 'bold'];
const traits = fc.record({
  align: fc.constantFrom<'left' | 'right'>('left', 'right'),
  shrink: fc.boolean(),
  wide: fc.boolean(),
});

const linesOf = (text: string) => text.split('\n').slice(0, -1);
const SGR = /\u001b\[\d+m/g;

describe('on a terminal', () => {
  test('is aligned, with a gap of two and no trailing spaces', async () => {
    const rows = [
      ['4ktq3m0a', '2h14m', 'x x'],
      ['9fX2kQ7wTz1mVbLq', '6m', ''],
    ];
    expect(await table(rows, columns(3, [{}, { align: 'right' }]), TERMINAL)).toBe(
      ['A                     B  C', '4ktq3m0a          2h14m  x x', '9fX2kQ7wTz1mVbLq     6m', ''].join('\n'),
    );
  });

  test('columns are right for Korean, new emoji, ZWJ sequences, and marks', async () => {
    const first = ['cust01', '상담원 김', '🫠🫠', FAMILY, '👩🏽‍💻 ok', 'e\u0301te\u0301', '🇰🇷', '❤️‍🔥', '1️⃣'];
    const text = await table(
      first.map((name) => [name, '|']),
      columns(2),
      BARE,
    );
    const offsets = linesOf(text).map((line) => displayWidth(line.slice(0, line.indexOf('|'))));
    expect(offsets).toEqual(first.map(() => 9 + 2));
    expect(linesOf(text)[2]).toBe(`🫠🫠${' '.repeat(7)}|`);
    expect(linesOf(text)[3]).toBe(`${FAMILY}${' '.repeat(9)}|`);
  });

  test('the next column begins at one place, whatever of it comes together, cut or whole', async () => {
    const wideText = fc.string({ unit: fc.constantFrom(...WIDE), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(wideText, { minLength: 2 }), fc.integer({ min: 20, max: 60 }), async (cells, width) => {
        const rows = cells.map((cell) => [cell, '|']);
        const text = await table(rows, columns(2, [{ shrink: true }]), { ...TERMINAL, width });
        const [header = '', ...lines] = linesOf(text);
        const offsets = lines.map((line) => displayWidth(line.slice(0, line.indexOf('|'))));
        expect(offsets).toEqual(cells.map(() => header.indexOf('B')));
      }),
      { numRuns: 200 },
    );
  });

  test('right alignment measures the same way', async () => {
    const text = await table([['김'], ['🫠🫠'], ['12345']], columns(1, [{ align: 'right' }]), BARE);
    expect(text).toBe('   김\n 🫠🫠\n12345\n');
  });

  test('a column that may shrink gives way, between characters', async () => {
    const rows = [['id1', '상담원상담원상담원', 'chat-1']];
    const shrink = columns(3, [{}, { shrink: true }]);
    expect(await table(rows, shrink, { ...BARE, width: 31 })).toBe('id1  상담원상담원상담원  chat-1\n');
    expect(await table(rows, shrink, { ...BARE, width: 30 })).toBe('id1  상담원상담원상담…  chat-1\n');
    expect(await table(rows, shrink, { ...BARE, width: 29 })).toBe('id1  상담원상담원상…   chat-1\n');
    expect(await table(rows, shrink, { ...BARE, width: 21 })).toBe('id1  상담원…   chat-1\n');
  });

  test('the widest of several gives way first', async () => {
    const rows = [['a'.repeat(30), 'b'.repeat(12), 'c']];
    const text = await table(rows, columns(3, [{ shrink: true }, { shrink: true }]), { ...BARE, width: 29 });
    expect(text).toBe(`${'a'.repeat(11)}…  ${'b'.repeat(12)}  c\n`);
  });

  test('still too wide, columns go from the right; the last one left is cut', async () => {
    const rows = [['a'.repeat(30), 'b'.repeat(30), 'c']];
    expect(await table(rows, columns(3), { ...TERMINAL, width: 65 })).toContain('c');
    expect(await table(rows, columns(3), { ...TERMINAL, width: 64 })).toBe(
      `A${' '.repeat(31)}B\n${'a'.repeat(30)}  ${'b'.repeat(30)}\n`,
    );
    expect(await table(rows, columns(3), { ...TERMINAL, width: 20 })).toBe(`A\n${'a'.repeat(19)}…\n`);
  });

  test('colour is added around what was laid out, the headers are bold', async () => {
    const styled = columns(2, [{ style: (row) => (row[0] === 'gone' ? 'red' : undefined) }]);
    const rows = [
      ['gone', '1'],
      ['🫠', '2'],
    ];
    const text = await table(rows, styled, { ...TERMINAL, color: true });
    expect(text).toBe('\u001b[1mA\u001b[22m     \u001b[1mB\u001b[22m\n\u001b[31mgone\u001b[39m  1\n🫠    2\n');
    expect(text.replace(SGR, '')).toBe(await table(rows, styled, TERMINAL));
  });

  test('no line is wider than the terminal and every row has its line, whatever the cells hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf(4),
        fc.array(traits, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 20, max: 200 }),
        fc.record({ color: fc.boolean(), headers: fc.boolean(), wide: fc.boolean() }),
        fc.constantFrom(...STYLES),
        async (rows, given, width, options, style) => {
          const cols = columns(4, given).map((column, at) => ({
            ...column,
            wide: at > 0 && column.wide === true,
            style: () => style,
          }));
          const text = await table(rows, cols, { tty: true, width, ...options });
          expect(text).toMatch(/^$|\n$/);
          const lines = linesOf(text);
          expect(lines).toHaveLength(rows.length + (options.headers ? 1 : 0));
          for (const line of lines) {
            const bare = options.color ? line.replace(SGR, '') : line;
            expect(displayWidth(bare)).toBeLessThanOrEqual(width);
            expect(bare).not.toMatch(/[\p{Cc}\p{Cs}\u202e]| $/u);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  // Its time grows with the square of the rows.
  test('many rows: aligned as one table, though cli-table3 gets few at a time', async () => {
    const layout = vi.spyOn(CliTable.prototype, 'toString');
    const rows = Array.from({ length: 1000 }, (_, at) => [`id${at}`, 'x']);
    const lines = linesOf(await table([...rows, ['a much longer id', '']], columns(2), TERMINAL));
    const sizes = layout.mock.contexts.map((slice) => (slice as unknown[]).length);
    layout.mockRestore();
    expect(lines).toHaveLength(1002);
    expect(lines[1000]).toBe(`id999${' '.repeat(13)}x`);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1002);
    expect(Math.max(...sizes)).toBeLessThan(100);
  });
});

describe('in a pipe', () => {
  test('is tab-separated, whole, without colour, with - for an empty cell', async () => {
    const rows = [['상담원 김', '', 'z'.repeat(300)]];
    const cols = columns(3, [{ style: () => 'red' }, { align: 'right' }, { shrink: true }]);
    expect(await table(rows, cols, { ...PIPE, width: 20, color: true })).toBe(
      `A\tB\tC\n상담원 김\t-\t${'z'.repeat(300)}\n`,
    );
    expect(await table(rows, cols, { ...PIPE, headers: false })).toBe(`상담원 김\t-\t${'z'.repeat(300)}\n`);
  });

  test('has a tab less than columns in each line, whatever the cells hold, and nothing harmful', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(5), fc.boolean(), fc.boolean(), async (rows, headers, color) => {
        const text = await table(rows, columns(5), { ...PIPE, headers, color });
        const lines = linesOf(text);
        expect(lines).toHaveLength(rows.length + (headers ? 1 : 0));
        for (const line of lines) {
          const cells = line.split('\t');
          expect(cells).toHaveLength(5);
          expect(cells).not.toContain('');
          expect(cells.join('')).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe.each([
  ['terminal', TERMINAL],
  ['pipe', PIPE],
])('on a %s as well', (_, options) => {
  test('no rows: the header line alone, or nothing', async () => {
    expect(await table([], columns(2), options)).toBe(options.tty ? 'A  B\n' : 'A\tB\n');
    expect(await table([], columns(2), { ...options, headers: false })).toBe('');
  });

  test('wide columns only when asked for', async () => {
    const cols = columns(2, [{}, { wide: true }]);
    expect(await table([['1', '2']], cols, options)).toBe('A\n1\n');
    expect(await table([['1', '2']], cols, { ...options, wide: true })).toMatch(/^A\s+B\n1\s+2\n$/);
  });

  test('a hostile escape sequence is shown, not sent', async () => {
    const rows = [['\u001b[2J\u001b]0;pwned\u0007\u009b31m', 'b']];
    const text = (await table(rows, columns(2), { ...options, color: true })).replace(SGR, '');
    expect(text).toContain('\\x1b[2J\\x1b]0;pwned\\x07\\x9b31m');
    expect(text.replaceAll(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u);
  });
});

test('a pipe needs neither cli-table3 nor string-width; a terminal both', async () => {
  const loaded = new Set<string>();
  vi.resetModules();
  for (const name of ['cli-table3', 'string-width']) {
    vi.doMock(name, async (original) => {
      loaded.add(name);
      return original();
    });
  }
  const fresh = await import('../../../src/cli/output/table.ts');
  await fresh.table([['1']], columns(1), PIPE);
  expect([...loaded]).toEqual([]);
  await fresh.table([['1']], columns(1), TERMINAL);
  expect([...loaded].sort()).toEqual(['cli-table3', 'string-width']);
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['김치찌개', 5, '김치…'],
  ['김치찌개', 4, '김…'],
  [`${FAMILY}${FAMILY}`, 3, `${FAMILY}…`],
  [`${FAMILY}${FAMILY}`, 2, '…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('cutToWidth of %j to %i is %j', (raw, max, cut) => {
  expect(cutToWidth(raw, max)).toBe(cut);
});

describe('what has no space', () => {
  const rows = [['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc', 'dddddddddd']];
  const drawn = async (width: number, traits: Partial<Column<Row>>[] = []) => {
    const hidden: string[][] = [];
    const text = await table(rows, columns(4, traits), { ...TERMINAL, width, onHidden: (names) => hidden.push(names) });
    return { header: linesOf(text)[0]!.split(/ +/), hidden };
  };

  test('is told by name, in order; nothing is told when all fits, or in a pipe', async () => {
    expect(await drawn(80)).toEqual({ header: ['A', 'B', 'C', 'D'], hidden: [] });
    expect(await drawn(30)).toEqual({ header: ['A', 'B'], hidden: [['C', 'D']] });
    const options = { ...PIPE, width: 30, onHidden: () => expect.unreachable() };
    expect(linesOf(await table(rows, columns(4), options))[0]).toBe('A\tB\tC\tD');
  });

  test('is never a column marked keep, while another can go', async () => {
    const keep = [{}, {}, {}, { keep: true }];
    expect(await drawn(30, keep)).toEqual({ header: ['A', 'D'], hidden: [['B', 'C']] });
    expect((await drawn(10, keep)).hidden).toEqual([['B', 'C', 'D']]);
  });
});

test('wrapToWidth breaks at spaces, else anywhere; no line is wider, and nothing is lost', () => {
  expect(wrapToWidth('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrapToWidth('abcdefgh ij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  expect(wrapToWidth('상담원', 4)).toEqual(['상담', '원']);
  expect(wrapToWidth('', 4)).toEqual(['']);
  expect(wrapToWidth('as it is', Number.POSITIVE_INFINITY)).toEqual(['as it is']);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'bb', ' ', '한', FAMILY), maxLength: 60 }), (text) => {
      const lines = wrapToWidth(text, 6);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(6);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }),
  );
});
