/** The lines above the table. */
import { visible } from '../../../../common/escape.ts';
import { isScanned } from '../questions.ts';
import type { Series } from '../rates.ts';
import type { State } from '../state.ts';
import type { BarView, Cell, GaugeView, HeadView, TabsView, Tone } from '../views.ts';
import { cell, milliseconds, percent, perSecond, plural, thousands, timeOfDay } from './text.ts';

export function headView(state: State): HeadView {
  const { setting, link, nodes, counts, now } = state;
  const living = nodes.lines.filter(({ item }) => item.alive).length;
  return {
    where: visible(setting.where),
    took: link.state === 'live' || link.state === 'slow' ? milliseconds(link.took) : '',
    nodes: counts ? plural(living, 'node') : '',
    access: setting.readOnly ? 'read-only' : '',
    link: linkCell(link),
    why: whyOf(state),
    clock: timeOfDay(now),
  };
}

function linkCell(link: State['link']): Cell {
  switch (link.state) {
    case 'stale':
      return cell(`stale since ${timeOfDay(link.since)}`, 'bad');
    case 'slow':
      return cell('slow', 'aging');
    case 'live':
      return cell('live', 'good');
    default:
      return cell('connecting', 'dim');
  }
}

/** Its store is gone with the process, and another one comes with the next. */
const EMBEDDED_ADVICE = 'This goes on when wssess serve runs again.';

function whyOf({ link, setting, asked: { silent } }: State): string {
  if (link.state === 'stale') {
    const advice = setting.where.startsWith('embedded') ? EMBEDDED_ADVICE : link.advice;
    return visible(`${link.why}. ${advice}`);
  }
  if (silent.length === 0) return '';
  return visible(
    `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer: what only nodes know is missing`,
  );
}

/** The figures of the overview line, the most important first. */
export function gaugesView(state: State): readonly GaugeView[] {
  const { counts, rates, foreign } = state;
  const figure = (name: string, text: string, series: Series = [], tone: Tone = 'plain'): GaugeView => {
    return { name, text, series, tone };
  };
  const { perSecond: now, series } = rates;
  const more = foreign.partial ? '+' : '';
  const count = (own: number | undefined, others: number) => (own === undefined ? '-' : thousands(own + others) + more);
  return [
    figure('SESSIONS', count(counts?.own, foreign.count + foreign.orphans), series.sessions),
    figure('USERS', approximate(state) + count(counts?.users, foreign.users), series.users),
    figure('IN', perSecond(now?.connects), series.connects),
    figure('OUT', perSecond(now?.disconnects), series.disconnects),
    figure('MSGS', perSecond(now?.messages_out), series.messages_out),
    figure('KICKED', now ? thousands(rates.kicked) : '-', [], rates.kicked > 0 ? 'bad' : 'plain'),
    ...(foreign.count > 0 || foreign.partial ? [figure('FOREIGN', thousands(foreign.count) + more, [], 'dim')] : []),
  ];
}

/** `~` where Redis lists sessions that live no more: the index of users may then hold users who aren't online. */
function approximate({ counts, foreign }: State): string {
  if (!counts || foreign.partial) return '';
  return counts.listed === counts.own + foreign.count + foreign.orphans ? '' : '~';
}

/** The nodes' bars, those with the most sessions first. */
export function barsView({ nodes }: State): readonly BarView[] {
  const loads = nodes.lines.filter(({ gone }) => !gone).map(({ item }) => item);
  const most = Math.max(1, ...loads.map(({ sessions }) => sessions));
  return loads
    .toSorted((a, b) => Number(b.alive) - Number(a.alive) || b.sessions - a.sessions || (a.name < b.name ? -1 : 1))
    .map(({ name, sessions, alive }) => {
      return { node: visible(name), sessions: thousands(sessions), share: sessions / most, alive };
    });
}

export function tabsView(state: State): TabsView {
  const { place, sort, marks, scan } = state;
  const scanned = isScanned(state);
  const unfinished = scanned && !scan?.whole;
  return {
    active: place.pane,
    under: place.details ? visible(place.details.key) : '',
    filter: place.pane === 'sessions' ? visible(place.filter) : '',
    sort,
    count: countOf(state),
    partial: unfinished ? `scanned ${percent(scan?.scanned ?? 0, scan?.listed ?? 0) || '0 %'}` : '',
    marked: marks.size > 0 ? `${thousands(marks.size)} marked` : '',
  };
}

function countOf(state: State): string {
  const { place, users, nodes, scan, counts, foreign } = state;
  if (!counts) return '';
  if (place.pane === 'nodes') return thousands(nodes.total);
  const more = foreign.partial ? '+' : '';
  if (place.pane === 'users') {
    // Users of foreign sessions alone are in no index, and so not in the list.
    const others = foreign.users > 0 || more ? ` of ${thousands(counts.users + foreign.users)}${more}` : '';
    return approximate(state) + thousands(users.total) + others;
  }
  const all = counts.own + foreign.count + foreign.orphans;
  if (!isScanned(state)) {
    // Of the foreign ones, a sample stands in the list.
    const listed = all - foreign.count + foreign.lines.length;
    return listed < all ? `${thousands(listed)} of ${thousands(all)}${more}` : thousands(all) + more;
  }
  if (!scan?.whole) return `${thousands(scan?.matched ?? 0)} so far`;
  return `${thousands(scan.matched)} of ${thousands(all)}${more}`;
}
