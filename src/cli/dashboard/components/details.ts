/** All about one session. */
import { displayWidth } from '../../output/width.ts';
import type { DetailsView } from '../model/views.ts';
import { cut, fill, type Line, line, span } from '../screen/line.ts';
import { cellSpan } from './cell.ts';

/** Exactly `height` lines; in two columns where they wouldn't fit below each other and there is room. */
export function detailsLines(view: DetailsView, width: number, height: number): Line[] {
  const state = view.gone
    ? span(' ✕ ended ', 'hurts', 'strong')
    : view.dead
      ? span(' ✕ its node is dead ', 'hurts', 'strong')
      : span(' ● live ', 'fresh');
  const names = Math.max(4, ...view.fields.map(({ name }) => displayWidth(name)));
  const fields = view.fields.map(({ name, value }): Line => {
    return [span('  '), ...fill([span(name, 'faint')], names), span('  '), cellSpan(value)];
  });
  const room = height - 3;
  const wide = Math.floor(width / 2);
  const rows =
    fields.length <= room || width < 100
      ? fields.map((one) => cut(one, width))
      : fields.slice(0, room).map((one, at) => [...fill(one, wide), ...cut(fields[at + room] ?? [], width - wide)]);
  const title = cut(line('  ', span(view.id, 'strong'), '  ', state), width);
  return Array.from({ length: height }, (_, at) => (at === 1 ? title : (rows[at - 3] ?? [])));
}
