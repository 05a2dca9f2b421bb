/** Something that takes a while: how far it is, what came of it so far, and how to end it. */

import { displayWidth, wrapToWidth } from '../../output/width.ts';
import type { OutcomesView, ProgressView } from '../model/views.ts';
import { cut, fill, flow, type Line, line, span } from '../screen/line.ts';
import { bar } from './bar.ts';
import { BOX_EDGES, boxLines } from './box.ts';
import { cellSpan } from './cell.ts';

const WIDEST = 60;

export function progressBox(view: ProgressView, width: number): Line[] {
  const inside = Math.min(WIDEST, width - BOX_EDGES - 2);
  const share = view.of === 0 ? 1 : view.done / view.of;
  const percent = `${Math.floor(share * 100)} %`.padStart(6);
  const keys = {
    running: line(span('x', 'key'), span(' stop', 'faint')),
    stopping: line(span('stops when the nodes have answered', 'ages')),
    done: line(span('o', 'key'), span(' what became of each  ', 'faint'), span('↵', 'key'), span(' close', 'faint')),
  };
  return boxLines({
    title: view.title,
    width: inside,
    lines: [
      [...bar(share, inside - percent.length, view.phase === 'done' ? 'fresh' : 'name'), span(percent, 'strong')],
      flow(
        view.counts.map((count) => [cellSpan(count)]),
        inside,
        '  ',
      ),
      ...(view.fault ? wrapToWidth(`✕ ${view.fault}`, inside).map((one) => line(span(one, 'hurts'))) : []),
      [],
      keys[view.phase],
    ],
  });
}

/** What became of each, a line each, over the whole table; and above them what that means. */
export function outcomesLines(view: OutcomesView, width: number, height: number): Line[] {
  const meanings = new Map(view.rows.flatMap(({ outcome, what }) => (what ? [[outcome.text, what] as const] : [])));
  const told = [...meanings].flatMap(([outcome, what]) =>
    wrapToWidth(`${outcome}: ${what}`, width - 2).map((one) => line(' ', span(one, 'faint'))),
  );
  const head = [...told.slice(0, Math.floor(height / 2)), []];
  const shown = view.rows.slice(0, height - 1 - head.length);
  const wide = (texts: readonly string[], most: number) => Math.min(most, Math.max(7, ...texts.map(displayWidth)));
  const widths = {
    session: wide(
      shown.map((row) => row.session),
      24,
    ),
    user: wide(
      shown.map((row) => row.user),
      24,
    ),
    node: wide(
      shown.map((row) => row.node),
      16,
    ),
    outcome: wide(
      shown.map((row) => row.outcome.text),
      16,
    ),
  };
  const rows = shown.map((row) =>
    cut(
      [
        span(' '),
        ...fill([span(row.session)], widths.session),
        span('  '),
        ...fill([cellSpan(row.outcome)], widths.outcome),
        span('  '),
        ...fill([span(row.user)], widths.user),
        span('  '),
        ...fill([span(row.node)], widths.node),
      ],
      width,
    ),
  );
  const last = Math.min(view.total, view.first + shown.length);
  const title = line(
    ' ',
    span(view.title, 'strong'),
    span(`   ${view.first + 1} to ${last} of ${view.total}`, 'faint'),
  );
  const lines = [cut(title, width), ...head, ...rows];
  return Array.from({ length: height }, (_, at) => lines[at] ?? []);
}
