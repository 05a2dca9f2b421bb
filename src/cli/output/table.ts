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
  /** Told the names of the columns that were left out for want of space, if any. */
  onHidden?(names: string[]): void;
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
 * On a terminal no line is wider than it: columns marked `shrink` are cut, then columns that aren't marked `keep`
 * are left out from the right, and a single column that is still too wide is cut. In a pipe cells are parted by a tab, whole and without colour,
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
  const fitting = fit(natural, columns, options);
  const colWidths = fitting.map(({ width }) => width);
  const colAligns = fitting.map(({ at }) => columns[at]?.align ?? 'left');
  const hidden = columns.filter((_, i) => !fitting.some(({ at }) => at === i));
  if (hidden.length > 0) options.onHidden?.(hidden.map(({ name }) => name));

  let drawn = '';
  for (let from = 0; from < lines.length; from += SLICE) {
    // cli-table3 brings a string-width that is wrong for new emoji and ZWJ sequences. So it lays out stand-ins, as
    // many x as the text is wide by our measure; afterwards each run of x gives way to the text it stood for.
    const texts: string[] = [];
    const slice = new Table({ chars: NO_BORDERS, style: NO_PADDING, colWidths, colAligns });
    for (const line of lines.slice(from, from + SLICE)) {
      slice.push(
        fitting.map(({ at, width }) => {
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

/** The columns that fit, at least one, and how wide they become. */
function fit<Row>(
  natural: number[],
  columns: Column<Row>[],
  options: TableOptions,
): { at: number; width: number; floor: number }[] {
  const terminal = Math.max(1, options.width);
  const fitting = columns.map((column, at) => {
    const width = Math.min(natural[at] ?? 1, terminal);
    const shortest = Math.max(SHORTEST, options.headers ? column.name.length : 0);
    return { at, width, floor: column.shrink ? Math.min(width, shortest) : width };
  });
  while (fitting.length > 1 && lineWidth(fitting.map(({ floor }) => floor)) > terminal) {
    const last = fitting.findLastIndex(({ at }) => at > 0 && !columns[at]?.keep);
    fitting.splice(last, 1); // -1, when only kept ones are left, is the last
  }
  for (let excess = lineWidth(fitting.map(({ width }) => width)) - terminal; excess > 0; excess--) {
    // The widest gives first. There is one: the floors fit.
    const giving = fitting.filter(({ width, floor }) => width > floor);
    const widest = giving.reduce((most, one) => (one.width > most.width ? one : most), giving[0]!);
    widest.width--;
  }
  return fitting;
}

function lineWidth(widths: number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

/** `text` in this style, for a terminal with colours. */
export function paint(text: string, style: Style | undefined): string {
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
