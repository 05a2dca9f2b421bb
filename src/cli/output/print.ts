/** What a command found, in the format that was asked for. */
import { safeJson, visible } from '../../common/escape.ts';
import type { Io } from '../io.ts';
import { type Flags, formatOf } from '../options.ts';
import type { Column } from './columns.ts';

export interface Printed<Row> {
  /** The published JSON shape. */
  json: unknown;
  /** What -o jsonl gives a line each, where it isn't the rows. */
  lines?: readonly unknown[];
  rows: readonly Row[];
  columns: Column<Row>[];
  /** What -o name prints of a row. */
  name(row: Row): string;
}

/** What an act says, and nothing else, when its selection fits nobody. */
export const NO_MATCH = 'no session matches\n';

/** Prints it. */
export async function print<Row>(io: Io, flags: Flags, printed: Printed<Row>): Promise<void> {
  await io.out(await render(io, flags, printed));
}

/** The text of it, in the format that was asked for. */
export async function render<Row>(
  io: Io,
  flags: Flags,
  { json, lines, rows, columns, name }: Printed<Row>,
): Promise<string> {
  switch (formatOf(flags)) {
    case 'json':
      return `${safeJson(json, 2)}\n`;
    case 'jsonl':
      return (lines ?? rows).map((line) => `${safeJson(line)}\n`).join('');
    case 'name':
      return names(io, rows.map(name));
    default:
      return drawTable(io, flags, rows, columns);
  }
}

/** A name a line: one that can't be printed as it is would be another name, and is left out. */
function names(io: Io, all: readonly string[]): string {
  const printable = all.filter((name) => visible(name) === name);
  const rest = all.length - printable.length;
  if (rest > 0) io.err(`${plural(rest, 'name')} left out, with characters that cannot be printed: -o json has them\n`);
  return printable.map((name) => `${name}\n`).join('');
}

/**
 * The rows as a table: for a terminal as wide as it is, with a line on what had no space; for a pipe tab-separated.
 * Without rows a terminal gets nothing: whoever asks is told so in a sentence. A pipe gets its header line always.
 */
export async function drawTable<Row>(
  io: Io,
  flags: Flags,
  rows: readonly Row[],
  columns: Column<Row>[],
): Promise<string> {
  if (io.tty && rows.length === 0) return '';
  const { table, paint } = await import('./table.ts');
  const width = io.size().columns;
  let hidden: string[] = [];
  const drawn = await table(rows, columns, {
    tty: io.tty,
    width,
    color: io.color,
    headers: flags.headers !== false,
    wide: formatOf(flags) === 'wide',
    onHidden(names) {
      hidden = names;
    },
  });
  if (hidden.length === 0) return drawn;
  const { wrapToWidth } = await import('./width.ts');
  const note = `${plural(hidden.length, 'column')} hidden: widen the terminal, or use -o json (${hidden.join(', ')})`;
  const lines = wrapToWidth(note, width);
  return drawn + lines.map((one) => `${io.color ? paint(one, 'dim') : one}\n`).join('');
}

/** True when the format is read by programs, so that no sentence may stand around it. */
export function isForPrograms(flags: Flags): boolean {
  return !['table', 'wide'].includes(formatOf(flags));
}

/** `2 sessions`, `1 session`, `1,204 sessions`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${thousands(count)} ${count === 1 ? one : many}`;
}

/** `12,408` */
export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}
