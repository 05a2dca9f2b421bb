/** Lines of a screen: texts with looks, measured, cut and laid over each other in columns of the terminal. */
import { cutToWidth, displayWidth, wrapToWidth } from '../../output/width.ts';
import { type Look, paint } from './looks.ts';

export interface Span {
  /** One line, without control characters: `visible` has made it so. */
  readonly text: string;
  readonly looks: readonly Look[];
}

export type Line = readonly Span[];

const graphemes = new Intl.Segmenter();

/** A span, as one writes it. */
export const span = (text: string, ...looks: Look[]): Span => ({ text, looks });

/** A line of these; a string is plain, what isn't there is left out. */
export function line(...parts: (Span | string | false | undefined)[]): Line {
  return parts.flatMap((part) => (typeof part === 'string' ? [span(part)] : part ? [part] : []));
}

export function widthOf(one: Line): number {
  return one.reduce((sum, { text }) => sum + displayWidth(text), 0);
}

/** At most `width` columns: whole, or cut with a `…`. */
export function cut(one: Line, width: number): Line {
  if (widthOf(one) <= width) return one;
  const kept: Span[] = [];
  let left = width;
  for (const [at, { text, looks }] of one.entries()) {
    const wide = displayWidth(text);
    // The last of them gives a column for the … if something follows.
    if (wide < left || (wide === left && at === one.length - 1)) {
      kept.push({ text, looks });
      left -= wide;
      continue;
    }
    kept.push({ text: left < 1 ? '' : cutToWidth(`${text}  `.padEnd(left + 1), left), looks });
    break;
  }
  return kept;
}

/** A text in at most `most` lines of `width` columns; what has no room in them is cut from the last. */
export function wrap(text: string, width: number, most: number): string[] {
  const lines = wrapToWidth(text, width);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), cutToWidth(lines.slice(most - 1).join(' '), width)];
}

/** Exactly `width` columns: cut or filled with spaces, which take the looks that are given. */
export function fill(one: Line, width: number, ...looks: Look[]): Line {
  const short = cut(one, width);
  const missing = width - widthOf(short);
  return missing > 0 ? [...short, span(' '.repeat(missing), ...looks)] : short;
}

/** Left and right at the ends of `width` columns. The right gives way when there is no room for both. */
export function spread(left: Line, right: Line, width: number, fill = ' '): Line {
  const room = width - widthOf(left);
  const shown = widthOf(right) < room ? right : [];
  const gap = room - widthOf(shown);
  return gap < 0
    ? cut(left, width)
    : [...left, span(fill.repeat(gap), ...(fill === ' ' ? [] : ['faint' as const])), ...shown];
}

/** Parts with `gap` between them: as many as fit, from the left. */
export function flow(parts: readonly Line[], width: number, gap = '   '): Line {
  const flowed: Span[] = [];
  let used = 0;
  for (const part of parts) {
    const wide = widthOf(part) + (used === 0 ? 0 : gap.length);
    if (used + wide > width) break;
    if (used > 0) flowed.push(span(gap));
    flowed.push(...part);
    used += wide;
  }
  return flowed;
}

/** The columns `from` to `to` of a line; half of a wide character is a space. */
export function slice(one: Line, from: number, to: number): Line {
  const kept: Span[] = [];
  let column = 0;
  for (const { text, looks } of one) {
    let part = '';
    for (const { segment } of graphemes.segment(text)) {
      const [begin, end] = [column, column + displayWidth(segment)];
      column = end;
      if (begin >= from && end <= to) part += segment;
      else part += ' '.repeat(Math.max(0, Math.min(end, to) - Math.max(begin, from)));
    }
    if (part !== '') kept.push({ text: part, looks });
  }
  return kept;
}

/** `above` laid over `under` from column `at` on; what is under it keeps its place, and is dimmed beside it. */
export function over(under: Line, above: Line, at: number, width: number): Line {
  const end = at + widthOf(above);
  const dimmed = fill(under, width).map(({ text }) => span(text, 'faint'));
  return [...slice(dimmed, 0, at), ...above, ...slice(dimmed, end, width)];
}

/** The line as text for a terminal. Spans that look alike are painted at once; spaces take no colour. */
export function draw(one: Line, colour: boolean): string {
  let drawn = '';
  let [text, looks]: [string, readonly Look[]] = ['', []];
  for (const next of one) {
    if (next.text === '') continue;
    const blank = looks.includes('here') === next.looks.includes('here') && /^ *$/.test(next.text);
    if (blank || sameLooks(looks, next.looks)) {
      text += next.text;
      continue;
    }
    drawn += paint(text, looks, colour);
    [text, looks] = [next.text, next.looks];
  }
  return drawn + paint(text, looks, colour);
}

const sameLooks = (one: readonly Look[], other: readonly Look[]) =>
  one.length === other.length && one.every((look, at) => look === other[at]);
