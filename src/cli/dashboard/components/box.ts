/** A box in the middle, over what is there. */
import { cut, fill, type Line, line, over, span, widthOf } from '../screen/line.ts';
import type { Look } from '../screen/looks.ts';

export interface BoxProps {
  title: string;
  lines: readonly Line[];
  /** Columns of its inside. */
  width: number;
  look?: Look;
}

/** The box with its border, two columns and a space wider at each side. */
export function boxLines({ title, lines, width, look = 'key' }: BoxProps): Line[] {
  const edge = (text: string) => span(text, look);
  const head = cut(line(span(` ${title} `, 'strong')), width);
  return [
    [edge('┌─'), ...head, edge(`${'─'.repeat(Math.max(0, width + 1 - widthOf(head)))}┐`)],
    ...lines.map((one) => [edge('│'), span(' '), ...fill(one, width), span(' '), edge('│')]),
    [edge(`└${'─'.repeat(width + 2)}┘`)],
  ];
}

/** Columns that a box takes beside its inside. */
export const BOX_EDGES = 4;

/** Lays a box over the middle of a screen's lines. */
export function overMiddle(under: readonly Line[], box: readonly Line[], width: number): Line[] {
  const top = Math.max(0, Math.floor((under.length - box.length) / 2));
  const left = Math.max(0, Math.floor((width - widthOf(box[0] ?? [])) / 2));
  return under.map((one, row) => {
    const above = box[row - top];
    return above ? over(one, above, left, width) : one.map(({ text }) => span(text, 'faint'));
  });
}
