/** Tables: aligned for eyes on a terminal, tab-separated and stable in a pipe. */
import { visible } from '../../common/escape.ts';
import type { Column, Style } from './columns.ts';

export interface TableOptions {
  /** Draw for a terminal; else plain lines for a pipe. */
  tty: boolean;
  /** Columns of the terminal. */
  width: number;
  /** Styles are written as SGR sequences; on a terminal only. */
  color: boolean;
  /** A first line with the columns' names. */
  headers: boolean;
  /** With the columns that are for `-o wide`. */
  wide: boolean;
}

/** Text of one cell, without control characters, and how it is to stand out. */
interface Cell {
  text: string;
  style: Style | undefined;
}

const GAP = '  ';
/** A column that may shrink stays this wide, or as wide as its header. */
const SHORTEST = 8;
/** cli-table3 compares each cell with all rows above it: 10,000 rows by 9 took 14 s as one table, 2.5 s in slices. */
const SLICE = 16;
const SGR: Record<Style, readonly [on: number, off: number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/**
 * The rows as text, one line each, ending in a newline; no rows give the header line alone, or '' without headers.
 * Cells are made safe to print, always one line; spaces at their end are dropped.
 *
 * On a terminal no line is wider than it: columns marked `shrink` are cut, then columns are left out from the right,
 * and a single column that is still too wide is cut. In a pipe cells are parted by a tab, whole and without colour,
 * and an empty one is `-`, so that awk and cut count right.
 */
export async function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions,
): Promise<string> {
  const shown = columns.filter((column) => options.wide || !column.wide);
  const lines = rows.map((row) => shown.map((column) => cell(column, row)));
  if (options.headers) lines.unshift(shown.map(({ name }) => ({ text: name, style: 'bold' })));
  if (lines.length === 0) return '';
  return options.tty ? draw(lines, shown, options) : plain(lines);
}

function cell<Row>(column: Column<Row>, row: Row): Cell {
  return { text: visible(column.value(row)).trimEnd(), style: column.style?.(row) };
}

function plain(lines: Cell[][]): string {
  return lines.map((line) => `${line.map(({ text }) => text || '-').join('\t')}\n`).join('');
}

async function draw<Row>(lines: Cell[][], columns: Column<Row>[], options: TableOptions): Promise<string> {
  // Loaded here: most starts of the CLI draw no table.
  const [{ default: Table }, { cutToWidth, displayWidth }] = await Promise.all([
    import('cli-table3'),
    import('./width.ts'),
  ]);
  const natural = columns.map((_, at) =>
    lines.reduce((widest, line) => Math.max(widest, displayWidth(line[at]?.text ?? '')), 1),
  );
  const colWidths = fit(natural, columns, options);
  const colAligns = columns.slice(0, colWidths.length).map(({ align }) => align ?? 'left');

  let drawn = '';
  for (let from = 0; from < lines.length; from += SLICE) {
    // cli-table3 brings a string-width that is wrong for new emoji and ZWJ sequences. So it lays out stand-ins, as
    // many x as the text is wide by our measure; afterwards each run of x gives way to the text it stood for.
    const texts: string[] = [];
    const slice = new Table({ chars: NO_BORDERS, style: NO_PADDING, colWidths, colAligns });
    for (const line of lines.slice(from, from + SLICE)) {
      slice.push(
        colWidths.map((width, at) => {
          const { text, style } = line[at] ?? { text: '', style: undefined };
          const short = cutToWidth(text, width);
          const standIn = 'x'.repeat(displayWidth(short));
          if (standIn) texts.push(options.color ? paint(short, style) : short);
          return standIn;
        }),
      );
    }
    let next = 0;
    drawn += `${slice
      .toString()
      .replace(/ +$/gm, '')
      .replace(/x+/g, () => texts[next++] ?? '')}\n`;
  }
  return drawn;
}

/** The widths of the columns that fit, from the left; at least one. */
function fit<Row>(natural: number[], columns: Column<Row>[], options: TableOptions): number[] {
  const terminal = Math.max(1, options.width);
  const widths = natural.map((width) => Math.min(width, terminal));
  const floors = widths.map((width, at) => {
    const column = columns[at];
    if (!column?.shrink) return width;
    return Math.min(width, Math.max(SHORTEST, options.headers ? column.name.length : 0));
  });
  while (floors.length > 1 && lineWidth(floors) > terminal) floors.pop();
  widths.length = floors.length;
  for (let excess = lineWidth(widths) - terminal; excess > 0; excess--) {
    // The widest gives first. There is one: the floors fit.
    let widest = -1;
    for (const [at, width] of widths.entries()) {
      if (width > (floors[at] ?? width) && width > (widths[widest] ?? 0)) widest = at;
    }
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function lineWidth(widths: number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

function paint(text: string, style: Style | undefined): string {
  if (style === undefined) return text;
  const [on, off] = SGR[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

const NO_PADDING = { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true };
const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};
