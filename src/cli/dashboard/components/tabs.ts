/** The line between figures and table: where one is, what is filtered, how many there are. */
import type { TabsView } from '../model/views.ts';
import { cut, type Line, line, span, spread, widthOf } from '../screen/line.ts';

export interface Tab {
  number: number;
  name: string;
  title: string;
}

/** `─ 1 Sessions ─ 2 Users ─ 3 Nodes ──────────── user:kim* · 38 of 12,412 · 2 marked ──` */
export function tabsLine(view: TabsView, tabs: readonly Tab[], width: number): Line {
  const rule = (length: number) => span('─'.repeat(length), 'faint');
  const left = tabs.flatMap(({ number, name, title }) => {
    const text = ` ${number} ${title} `;
    if (name !== view.active) return [rule(1), span(text)];
    return [rule(1), span(text, 'here', 'strong'), ...(view.under ? [span(` ${view.under} `, 'strong')] : [])];
  });
  const facts: Line[] = [
    view.filter !== '' && line(span('/', 'key'), span(view.filter, 'strong')),
    line(span(view.count, 'strong')),
    view.partial !== '' && line(span(view.partial, 'ages')),
    view.marked !== '' && line(span(`● ${view.marked}`, 'marked')),
  ].filter((fact): fact is Line => fact !== false && widthOf(fact) > 0);
  const right = facts.flatMap((fact, at) => (at === 0 ? fact : [span(' · ', 'faint'), ...fact]));
  const room = width - widthOf(left) - 6;
  const shown = cut(right, Math.max(0, room));
  return spread(left, shown.length === 0 ? [] : [span(' '), ...shown, span(' '), rule(2)], width, '─');
}

/** Parts the table from the keys. */
export const ruleLine = (width: number): Line => [span('─'.repeat(width), 'faint')];
