/** A table: rows of a list of any length, of which only those on the screen are here. */
import { cutToWidth, displayWidth } from '../../output/width.ts';
import type { Cell, RowView, TableView } from '../model/views.ts';
import { cut, fill, type Line, line, type Span, slice, span, widthOf } from '../screen/line.ts';
import type { Look } from '../screen/looks.ts';
import { looksOf } from './cell.ts';
import { type Column, type Fitted, fitColumns, GAP } from './columns.ts';

export interface TableProps {
  table: TableView;
  columns: readonly Column[];
  /** Which column is sorted by, and whether what stands in it gets larger from row to row: ↑. */
  sorted?: { cell: string; up: boolean } | undefined;
  width: number;
  /** Rows, the header among them. */
  height: number;
}

/** Cursor, mark, space; and at the end a space and the scroll bar. */
const PREFIX = 3;
const SUFFIX = 2;
const UNKNOWN: Cell = { text: '·', tone: 'dim' };

/** Header and rows: exactly `height` lines of at most `width` columns. */
export function tableLines({ table, columns, sorted, width, height }: TableProps): Line[] {
  const fitted = fitColumns(columns, width - PREFIX - SUFFIX);
  const rows = height - 1;
  const thumb = thumbOf(table.top, table.total, rows);
  const lines: Line[] = [header(fitted, sorted)];
  for (let at = 0; at < rows; at++) {
    const row = table.rows[at];
    const text = row === undefined ? [] : drawRow(row, fitted, width - SUFFIX);
    const scroll = thumb && span(at >= thumb.from && at < thumb.to ? ' ┃' : ' │', 'faint');
    lines.push(scroll ? [...fill(text, width - SUFFIX), scroll] : text);
  }
  if (table.rows.length === 0 && table.empty !== '') {
    const at = Math.min(Math.floor(rows / 3), rows - 1) + 1;
    const text = cut(line(span(table.empty, 'faint')), width);
    lines[at] = [span(' '.repeat(Math.max(0, Math.floor((width - widthOf(text)) / 2)))), ...text];
  }
  return lines;
}

function header(columns: readonly Fitted[], sorted: TableProps['sorted']): Line {
  const names = columns.map((column): Span[] => {
    const arrow = column.cell === sorted?.cell ? (sorted.up ? '↑' : '↓') : '';
    const looks: Look[] = arrow ? ['strong', 'name'] : ['strong'];
    return [padded(`${column.title}${arrow}`, column, looks)];
  });
  return joined(span(' '.repeat(PREFIX)), names);
}

/** A row; what became of its session stands at its end, over what would be there. */
function drawRow(row: RowView | null, columns: readonly Fitted[], width: number): Line {
  if (row === null) return line(span(`${' '.repeat(PREFIX)}…`, 'faint'));
  const faint = row.gone ? (['faint'] as const) : [];
  const sign = span(row.cursor ? '▸' : ' ', 'strong');
  const mark = span(row.marked ? '● ' : row.gone || row.dead ? '✕ ' : '  ', row.marked ? 'marked' : 'hurts');
  const cells = columns.map((column) => {
    const { text, tone } = row.cells[column.cell] ?? UNKNOWN;
    const looks = row.marked && tone === 'plain' ? (['marked'] as const) : looksOf(tone);
    return [padded(text, column, [...looks, ...faint])];
  });
  const text = [sign, mark, ...joined(undefined, cells)];
  const ending = row.outcome ?? (row.gone ? { text: 'ended', tone: 'dim' as const } : undefined);
  const tag = ending && line(span(` ${ending.text} `, ...looksOf(ending.tone), 'strong'));
  const whole = tag ? [...shortened(text, width - widthOf(tag)), ...tag] : fill(text, width);
  // One bar from end to end: signs and words still tell what colours told.
  return row.cursor ? whole.map(({ text }) => span(text, 'here')) : whole;
}

/** Exactly `width` columns; where nothing but spaces is lost, nothing is said to be cut. */
function shortened(text: Line, width: number): Line {
  const lost = slice(text, width, Math.max(width, widthOf(text)));
  return fill(lost.every((one) => /^ *$/.test(one.text)) ? slice(text, 0, width) : text, width);
}

function joined(before: Span | undefined, parts: readonly Span[][]): Line {
  const gap = span(' '.repeat(GAP));
  return [...(before ? [before] : []), ...parts.flatMap((part, at) => (at === 0 ? part : [gap, ...part]))];
}

function padded(text: string, { width, align, cut: where }: Fitted, looks: readonly Look[]): Span {
  const short = where === 'middle' ? cutMiddle(text, width) : cutToWidth(text, width);
  const space = ' '.repeat(width - displayWidth(short));
  return { text: align === 'right' ? space + short : short + space, looks };
}

/** `9fX2…Lq`: a third of what fits is its end. */
function cutMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const end = Math.floor((width - 1) / 3);
  const tail = /^[\x20-\x7e]*$/.test(text) ? text.slice(text.length - end) : '';
  return tail === '' ? cutToWidth(text, width) : `${text.slice(0, width - 1 - end)}…${tail}`;
}

/** Which rows of the scroll bar are full; undefined when all is on the screen. */
function thumbOf(top: number, total: number, rows: number): { from: number; to: number } | undefined {
  if (total <= rows || rows < 1) return undefined;
  const size = Math.max(1, Math.round((rows * rows) / total));
  const from = Math.min(rows - size, Math.round((Math.min(top, total - rows) / (total - rows)) * (rows - size)));
  return { from, to: from + size };
}
