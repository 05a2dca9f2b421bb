/** A share as a bar. */
import { type Line, line, span } from '../screen/line.ts';
import type { Look } from '../screen/looks.ts';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** `width` columns, of which `share` (0 to 1) are full, to an eighth of a column; something is never nothing. */
export function bar(share: number, width: number, ...looks: Look[]): Line {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const shown = share > 0 ? Math.max(1, eighths) : 0;
  const full = '█'.repeat(Math.floor(shown / 8)) + EIGHTHS[shown % 8];
  return line(span(full, ...looks), span('░'.repeat(width - full.length), 'faint'));
}
