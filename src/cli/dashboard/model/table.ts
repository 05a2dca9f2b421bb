/** A table's cursor and its place on the screen: pure. What is asked for, and where what came is put. */
import type { Window } from '../../../sessions/overview.ts';
import type { Jump, Line, Table } from './state.ts';

/** Rows asked for beyond the screen, so that short moves need not wait: a page on either side, at most this many. */
const MOST_MARGIN = 8;

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(value, most));
const marginOf = (height: number): number => Math.min(height, MOST_MARGIN);

/** Index of the row that keys act on, -1 when it isn't at hand. */
export function cursorIndex({ lines, cursor }: Table<unknown>): number {
  return cursor === null ? -1 : lines.findIndex(({ key }) => key === cursor);
}

/** The row that keys act on. */
export function cursorLine<Item>(table: Table<Item>): Line<Item> | undefined {
  return table.lines[cursorIndex(table)];
}

/** With the first row of the screen under the cursor, when no row is. */
export function hold<Item>(table: Table<Item>, height: number): Table<Item> {
  return cursorIndex(table) < 0 ? take(table, table.first, height) : table;
}

/** Moves the cursor by rows: at once where they are at hand, else as soon as they are. */
export function move<Item>(table: Table<Item>, by: number, height: number): Table<Item> {
  const { lines, first, jump } = table;
  if (jump) return jumpTo(table, { rank: jump.rank + by, row: jump.row + by }, height);
  const at = cursorIndex(table);
  if (at < 0 && lines.length === 0) return beyondEmpty(table, by, height);
  // The first key only takes hold of a row.
  if (at < 0) return take(table, by < 0 ? first + height - 1 : first, height);
  const target = at + by;
  if (target >= 0 && target < lines.length) return take(table, target, height);
  return jumpTo(table, { rank: rankBeyond(table, target), row: by < 0 ? 0 : height - 1 }, height);
}

/** From a stretch in which nothing lives, to what is above or below it. */
function beyondEmpty<Item>(table: Table<Item>, by: number, height: number): Table<Item> {
  if (table.total === 0) return table;
  const rank = by < 0 ? table.from - 1 : table.to;
  return jumpTo(table, { rank, row: by < 0 ? 0 : height - 1 }, height);
}

/** Moves cursor and screen by a screenful. */
export function page<Item>(table: Table<Item>, by: 1 | -1, height: number): Table<Item> {
  const { lines, first, jump } = table;
  if (jump) return jumpTo(table, { ...jump, rank: jump.rank + by * height }, height);
  const at = cursorIndex(table);
  if (at < 0 && lines.length > 0) return move(table, by, height);
  if (at < 0) return beyondEmpty(table, by, height);
  const target = at + by * height;
  if (target < 0 || target >= lines.length) {
    return jumpTo(table, { rank: rankBeyond(table, target), row: at - first }, height);
  }
  return take({ ...table, first: scrolled(table, first + by * height, height) }, target, height);
}

/** Goes to the last row of the whole list, or to the first, where the screen then stays as it did at the beginning. */
export function goToEdge<Item>(table: Table<Item>, to: 'first' | 'last', height: number): Table<Item> {
  if (table.total === 0) return table;
  if (to === 'last') return jumpTo(table, { rank: table.total - 1, row: height - 1 }, height);
  return { ...jumpTo(table, { rank: 0, row: 0 }, height), taken: false };
}

/** What came for a table. */
export interface Stretch<Item> {
  lines: readonly Line<Item>[];
  from: number;
  to: number;
  total: number;
  /** What became of the row under the cursor when it isn't among the lines. `elsewhere`: the stretch doesn't tell. */
  missing: 'ended' | 'kept' | 'elsewhere';
  /** The first row is to be chosen when none is: at the first answer that is whole, and never later by itself. */
  chooses: boolean;
  /** Order of two lines: where a row that has ended stays. */
  compare(a: Line<Item>, b: Line<Item>): number;
}

/** Puts what came in place of the rows at hand. The cursor stays on its row, whatever came or went around it. */
export function put<Item>(table: Table<Item>, stretch: Stretch<Item>, height: number): Table<Item> {
  const { from, to, total } = stretch;
  if (table.jump) {
    const landed = land({ ...table, lines: stretch.lines, from, to, total }, table.jump, height);
    if (landed) return landed;
  }
  const held = cursorIndex(table);
  let lines = stretch.lines;
  let at = table.cursor === null ? -1 : lines.findIndex(({ key }) => key === table.cursor);
  if (at < 0 && held >= 0) {
    if (stretch.missing === 'elsewhere') return { ...table, total };
    [lines, at] = withKept(lines, table.lines[held]!, stretch);
  }
  const next = { ...table, lines, from, to, total };
  if (at < 0) {
    // Nothing was held: the first row, as soon as it is certain which one that is.
    const cursor = stretch.chooses ? (lines[0]?.key ?? null) : table.cursor;
    return { ...next, cursor, first: scrolled(next, table.first, height) };
  }
  const wasAtTop = table.from === 0 && table.first === 0;
  if (wasAtTop && !table.taken && (from > 0 || at >= height)) {
    return from > 0 ? { ...table, total, cursor: null } : { ...next, cursor: null, first: 0 };
  }
  const row = held < 0 ? Math.floor(height / 2) : clamp(held - table.first, 0, height - 1);
  const first = wasAtTop && from === 0 ? Math.max(0, at - height + 1) : at - row;
  return { ...next, first: scrolled(next, first, height) };
}

/** Adds the row under the cursor, which isn't among the lines, where it would stand. */
function withKept<Item>(
  lines: readonly Line<Item>[],
  kept: Line<Item>,
  { missing, compare, from }: Stretch<Item>,
): [lines: Line<Item>[], at: number] {
  const after = lines.findIndex((line) => compare(kept, line) < 0);
  const at = after < 0 ? lines.length : after;
  const rank = lines[at]?.rank ?? (lines.at(-1)?.rank ?? from - 1) + 1;
  return [lines.toSpliced(at, 0, { ...kept, rank, gone: kept.gone || missing === 'ended' }), at];
}

/** The screen has another height. */
export function resize<Item>(table: Table<Item>, height: number): Table<Item> {
  const at = cursorIndex(table);
  const shown = at < 0 ? table.first : clamp(table.first, at - height + 1, at);
  return { ...table, first: scrolled(table, shown, height) };
}

/** The window that the screen needs, with a margin. @param scoreOf what the index is sorted by */
export function windowOf<Item>(
  table: Table<Item>,
  { height, oldestFirst, scoreOf }: { height: number; oldestFirst: boolean; scoreOf(item: Item): number | null },
): Window {
  const margin = marginOf(height);
  const { jump, from } = table;
  const start = startOf(table);
  // Where nothing is at hand, there is no row to keep in its place, and a margin would lead away.
  const top = Math.max(0, jump || table.lines.length > 0 ? start - margin : from);
  const window = { top, rows: Math.max(0, start - top) + height + margin, oldestFirst };
  const line = cursorLine(table);
  const score = line ? scoreOf(line.item) : null;
  if (jump || !line || score === null) return window;
  return { ...window, keep: { id: line.key, score, row: line.rank - top } };
}

/** Rank of the first row on the screen. At the first of all it is 0, also where what stands there lives no more. */
function startOf({ jump, lines, first, from }: Table<unknown>): number {
  if (jump) return jump.rank - jump.row;
  return first === 0 && from === 0 ? 0 : (lines[first]?.rank ?? from);
}

/** True when the screen, or half of the margin around it, isn't at hand. */
export function isShort(table: Table<unknown>, height: number): boolean {
  const { lines, first, from, to, total, jump } = table;
  if (jump) return true;
  const margin = Math.ceil(marginOf(height) / 2);
  return (from > 0 && first < margin) || (to < total && lines.length - first - height < margin);
}

/** Lets go of a jump: what is on the screen is what is acted on. */
export function stay<Item>(table: Table<Item>): Table<Item> {
  return table.jump ? { ...table, jump: null } : table;
}

function take<Item>(table: Table<Item>, index: number, height: number): Table<Item> {
  const at = clamp(index, 0, table.lines.length - 1);
  const line = table.lines[at];
  if (!line) return table;
  const first = scrolled(table, clamp(table.first, at - height + 1, at), height);
  return { ...table, cursor: line.key, taken: true, first };
}

/** The rank of an index that lies outside the lines at hand. */
function rankBeyond({ lines, from, to }: Table<unknown>, index: number): number {
  return index < 0 ? from + index : to + index - lines.length;
}

function jumpTo<Item>(table: Table<Item>, { rank, row }: Jump, height: number): Table<Item> {
  const jump = { rank: clamp(rank, 0, Math.max(0, table.total - 1)), row: clamp(row, 0, height - 1) };
  return land(table, jump, height) ?? { ...table, jump };
}

/** Ends a jump if the rows there are at hand, all that the screen will show. */
function land<Item>(table: Table<Item>, jump: Jump, height: number): Table<Item> | undefined {
  const { lines, from, to, total } = table;
  if (total === 0) return { ...table, jump: null, cursor: null, first: 0 };
  const rank = Math.min(jump.rank, total - 1);
  // All that the screen will show has been looked at, whether or not it lives.
  if (rank - jump.row < from && from > 0) return undefined;
  if (rank < from || rank >= to) return undefined;
  // Nothing lives there: that is where one is, and no row is chosen.
  if (lines.length === 0) return { ...table, cursor: null, taken: false, first: 0, jump: null };
  const after = lines.findIndex((line) => line.rank >= rank);
  const at = after < 0 ? lines.length - 1 : after;
  const first = scrolled(table, at - jump.row, height);
  return { ...table, cursor: lines[at]!.key, taken: rank > 0, first, jump: null };
}

/** `first` within what there is: no row above the first, none left empty below the last. */
function scrolled({ lines }: Table<unknown>, first: number, height: number): number {
  return clamp(first, 0, Math.max(0, lines.length - height));
}
