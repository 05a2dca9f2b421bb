/** A table with what stands around it, on a terminal and in a pipe. */
import { describe, expect, test } from 'vitest';
import type { Column } from '../../../src/cli/output/columns.ts';
import { drawTable } from '../../../src/cli/output/print.ts';
import { displayWidth } from '../../../src/cli/output/width.ts';
import { fakeIo } from '../../helpers/fake-io.ts';

const columnsOf = (count: number): Column<string>[] =>
  Array.from({ length: count }, (_, i) => ({ name: `COLUMN_${i}`, value: (row) => row }));
const sized = (columns: number) => ({ ...fakeIo({ tty: true }), color: false, size: () => ({ columns, rows: 24 }) });

test('without rows a terminal gets nothing, since a sentence is said; a pipe gets the names of the columns', async () => {
  expect(await drawTable(fakeIo({ tty: true }), {}, [], columnsOf(2))).toBe('');
  expect(await drawTable(fakeIo(), {}, [], columnsOf(2))).toBe('COLUMN_0\tCOLUMN_1\n');
  expect(await drawTable(fakeIo(), { headers: false }, [], columnsOf(2))).toBe('');
});

describe('columns that have no space', () => {
  test.each([20, 40, 80, 120])(
    'on %i columns it is said first what to do, then which; nothing is cut',
    async (width) => {
      const text = await drawTable(sized(width), {}, ['x'.repeat(12)], columnsOf(40));
      const [, , ...note] = text.trimEnd().split('\n');
      const said = note.join(' ');
      expect(said).toMatch(/^\d+ columns hidden: widen the terminal, or use -o json \(COLUMN_/);
      expect(said).toMatch(/, COLUMN_38, COLUMN_39\)$/);
      expect(said).not.toContain('…');
      for (const line of note) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    },
  );

  test('one is one column; when all fit, nothing is said', async () => {
    const rows = ['x'.repeat(30)];
    expect(await drawTable(sized(80), {}, rows, columnsOf(3))).toMatch(/^1 column hidden: .*\(COLUMN_2\)\n$/m);
    expect(await drawTable(sized(80), {}, rows, columnsOf(2))).not.toContain('hidden');
  });
});
