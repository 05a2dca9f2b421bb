/** The line at the bottom: what can be pressed here, or what is told. */
import { hintedKey, KEYMAP, type Where } from '../keymap.ts';
import type { FooterView } from '../model/views.ts';
import { cut, flow, type Line, line, span, widthOf, wrap } from '../screen/line.ts';
import { looksOf } from './cell.ts';

const NOTE_SIGNS = { plain: '', dim: '', good: '✓ ', aging: '! ', bad: '✕ ' } as const;

/** Lines of what is told, which says at its end what to do. */
const MOST_LINES = 3;

export function footerLines(view: FooterView, where: Where, width: number): Line[] {
  if (!view.note) return [hintsLine(view, where, width)];
  const { text, tone } = view.note;
  const lines = wrap(NOTE_SIGNS[tone] + text, width - 1, MOST_LINES);
  return lines.map((one) => line(' ', span(one, ...looksOf(tone), 'strong')));
}

function hintsLine(view: FooterView, where: Where, width: number): Line {
  const hints = KEYMAP.filter((one) => one.where.includes(where) && one.hint !== undefined)
    .filter((one) => !(one.acts && view.readOnly) && (one.when === undefined || view[one.when]))
    .map((one) => line(span(hintedKey(one), 'key'), span(` ${one.hint}`)));
  // `? help` and `q quit` stay to the last: with them all others are found.
  const [first, last] = [hints.slice(0, -2), hints.slice(-2)];
  const gap = width < 100 ? '  ' : '   ';
  const room = width - 1 - last.reduce((sum, one) => sum + widthOf(one) + gap.length, 0);
  return cut([span(' '), ...flow([...flowed(first, room, gap), ...last], width - 1, gap)], width);
}

/** As many as fit. */
function flowed(hints: readonly Line[], room: number, gap: string): Line[] {
  let used = 0;
  return hints.filter((hint) => {
    used += widthOf(hint) + gap.length;
    return used <= room + gap.length;
  });
}
