/** All keys, made from the keymap. */
import { displayWidth, wrapToWidth } from '../../output/width.ts';
import { type Binding, type Group, KEYMAP, shownKey } from '../keymap.ts';
import { fill, type Line, line, span, widthOf } from '../screen/line.ts';

/** In this order, with what stands above each. */
export const GROUPS: Record<Group, string> = {
  Move: 'Move',
  Look: 'Look',
  Go: 'Go',
  Mark: 'Mark',
  Act: 'Act',
  Type: 'While typing',
};

/** The bindings that help and docs name: of what is bound twice with the same words, one. */
export function helped(group: Group, readOnly: boolean): Binding[] {
  const seen = new Set<string>();
  return KEYMAP.filter((one) => {
    if (one.group !== group || (one.acts && readOnly)) return false;
    const known = seen.has(`${shownKey(one)}\n${one.help}`);
    seen.add(`${shownKey(one)}\n${one.help}`);
    return !known;
  });
}

/** `height` lines of it from the line `first` on; in two columns where there is room. */
export function helpLines(first: number, readOnly: boolean, width: number, height: number): Line[] {
  const columns = width >= 116 ? 2 : 1;
  const wide = Math.floor(width / columns) - 2;
  const groups = (Object.keys(GROUPS) as Group[])
    .map((group) => groupLines(group, readOnly, wide))
    .filter((one) => one.length > 2);
  const all = columns === 1 ? groups.flat() : beside(groups, wide);
  while (all.at(-1)?.every(({ text }) => text.trim() === '')) all.pop();
  const from = Math.max(0, Math.min(first, all.length - height));
  const shown = all.slice(from, from + height);
  const below = all.length - from - height;
  if (below > 0) shown[height - 1] = line(span(` ↓ ${below + 1} more lines`, 'faint'));
  return Array.from({ length: height }, (_, at) => shown[at] ?? []);
}

function groupLines(group: Group, readOnly: boolean, width: number): Line[] {
  const bound = helped(group, readOnly);
  // What means more than one thing is told apart by where one is, unless it is nearly everywhere.
  const where = (one: Binding) =>
    one.where.length < 4 &&
    one.keys.some((key) => bound.some((other) => other !== one && other.keys.includes(key))) &&
    `${one.where.join(', ')}: `;
  const keys = Math.max(9, ...bound.map((one) => displayWidth(shownKey(one))));
  return [
    line(' ', span(GROUPS[group], 'strong')),
    ...bound.flatMap((one) => {
      const place = where(one) || '';
      // What is too long goes on below itself.
      return wrapToWidth(place + one.help, width - keys - 4).map((text, at) => {
        const key = fill([span(at === 0 ? shownKey(one) : '', 'key')], keys);
        const [faint, rest] = at === 0 && text.startsWith(place) ? [place, text.slice(place.length)] : ['', text];
        return line('  ', ...key, '  ', faint !== '' && span(faint, 'faint'), rest);
      });
    }),
    [],
  ];
}

/** Two columns of about the same height; a group stays whole. */
function beside(groups: readonly (readonly Line[])[], width: number): Line[] {
  const half = groups.flat().length / 2;
  const [left, right]: [Line[], Line[]] = [[], []];
  for (const group of groups)
    (right.length === 0 && left.length + group.length / 2 <= half ? left : right).push(...group);
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) => {
    const text = left[at] ?? [];
    return [...text, span(' '.repeat(Math.max(0, width + 2 - widthOf(text)))), ...(right[at] ?? [])];
  });
}
