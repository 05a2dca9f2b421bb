/** The top of the screen: which Redis, how it answers, the figures with their course, the nodes. */
import { displayWidth } from '../../output/width.ts';
import type { BarView, GaugeView, HeadView } from '../model/views.ts';
import { cut, flow, type Line, line, span, spread, widthOf, wrap } from '../screen/line.ts';
import { bar } from './bar.ts';
import { looksOf } from './cell.ts';
import { sparkline } from './sparkline.ts';

/** Before the word, so that it isn't told by its colour alone. */
const LINK_SIGNS = { plain: '◌', dim: '◌', good: '●', aging: '◐', bad: '✕' } as const;
const BRAND = ' wssess ';
/** Columns of a sparkline: not worth it with fewer, no need of more. */
const SPARK = { least: 4, most: 30 };
const BAR = { least: 6, most: 24 };

/** ` wssess  10.0.0.5:6379 0.4 ms · 3 nodes · read-only        ● live 14:27:02 ` */
export function headLine(view: HeadView, width: number): Line {
  const { link, clock } = view;
  const right = line(
    span(`${LINK_SIGNS[link.tone]} ${link.text}`, ...looksOf(link.tone), 'strong'),
    !isStale(view) && span(` ${clock}`, 'faint'),
    ' ',
  );
  const parts = [view.took && ` ${view.took}`, view.nodes && ` · ${view.nodes}`]
    .filter(Boolean)
    .map((one) => span(one));
  const rest = line(...parts, view.access !== '' && span(` · ${view.access}`, 'ages', 'strong'));
  const room = width - BRAND.length - 1 - widthOf(rest) - widthOf(right) - 1;
  const where = cut(line(span(view.where, 'strong')), Math.max(8, room));
  return spread(
    cut([span(BRAND, 'here', 'strong'), span(' '), ...where, ...rest], width - widthOf(right)),
    right,
    width,
  );
}

/** ` SESSIONS 12,412 ▁▂▃▄▅   USERS 9,880   IN 11/s ▂▃▂`: the last figures give way, the sparklines share what is left. */
export function gaugesLine(gauges: readonly GaugeView[], width: number): Line {
  const texts = gauges.map((gauge) => ({ gauge, text: gauge.text.padEnd(gauge.text.endsWith('/s') ? 6 : 0) }));
  const gap = width < 100 ? 2 : 3;
  const least = ({ gauge, text }: (typeof texts)[number]) =>
    gauge.name.length + 1 + text.length + (gauge.series.length > 0 ? SPARK.least + 1 : 0) + gap;
  let shown = texts;
  while (shown.length > 1 && 1 + shown.reduce((sum, one) => sum + least(one), 0) - gap > width)
    shown = shown.slice(0, -1);
  const spare = width - 1 - shown.reduce((sum, one) => sum + least(one), 0) + gap;
  const courses = shown.filter(({ gauge }) => gauge.series.length > 0).length;
  const spark = Math.min(SPARK.most, SPARK.least + Math.floor(spare / Math.max(1, courses)));
  const parts = shown.map(({ gauge, text }) =>
    line(
      span(`${gauge.name} `, 'faint'),
      span(text, ...looksOf(gauge.tone), 'strong'),
      gauge.series.length > 0 && span(` ${sparkline(gauge.series, spark)}`, 'name'),
    ),
  );
  return line(' ', ...flow(parts, width - 1, ' '.repeat(gap)));
}

/** ` chat-1 ████████░░░░ 4,871   chat-2 …`; of nodes that find no room it is said how many. */
export function barsLine(bars: readonly BarView[], width: number): Line {
  const gap = 3;
  const fixed = ({ node, sessions }: BarView) => node.length + sessions.length + 2 + gap;
  const rest = (count: number) => (count === 0 ? '' : `+${count} nodes`);
  let count = bars.length;
  const needs = () => {
    const shown = bars.slice(0, count);
    return shown.reduce((sum, one) => sum + fixed(one) + BAR.least, 0) + rest(bars.length - count).length;
  };
  while (count > 0 && needs() > width - 1) count--;
  const shown = bars.slice(0, count);
  const spare = width - 1 - needs();
  const wide = Math.min(BAR.most, BAR.least + Math.floor(spare / Math.max(1, count)));
  const parts = shown.map(({ node, sessions, share, alive }) =>
    alive
      ? line(`${node} `, ...bar(share, wide, 'name'), span(` ${sessions}`, 'strong'))
      : line(span(`${node} ✕ ${'gone'.padEnd(wide - 2)} ${sessions}`, 'hurts')),
  );
  const more = rest(bars.length - count);
  return cut(
    line(' ', ...flow([...parts, ...(more ? [line(span(more, 'faint'))] : [])], width - 1, ' '.repeat(gap))),
    width,
  );
}

/** What is shown is what was known when Redis answered last. */
export const isStale = ({ link }: HeadView): boolean => link.tone === 'bad';

const OLD = 'what is shown is old';
/** Lines of why that is so, which says at its end what to do. */
const MOST_LINES = 3;

/** Instead of the figures while Redis doesn't answer: they would be old ones. */
export function staleLines({ why }: HeadView, width: number): Line[] {
  const lines = wrap(`✕ ${why}`, width - 1, MOST_LINES).map((one) => line(' ', span(one, 'hurts')));
  const last = lines.at(-1)!;
  const fits = widthOf(last) + 2 + OLD.length <= width;
  if (fits) return [...lines.slice(0, -1), [...last, span(`  ${OLD}`, 'faint')]];
  return lines.length < MOST_LINES ? [...lines, line(' ', span(OLD, 'faint'))] : lines;
}

/** A line of the head that leaves room for a note at its end: in full if half of the width is enough for it. */
export function withNote(lineOf: (width: number) => Line, note: string, width: number): Line {
  const half = Math.floor(width / 2);
  const [brief = ''] = note.split(': ');
  const text = displayWidth(note) + 3 <= half ? note : brief;
  const shown = cut(line(span(`✕ ${text}`, 'hurts')), half - 1);
  return spread(lineOf(width - widthOf(shown) - 3), [...shown, span(' ')], width);
}
