/** The whole screen: what stands where at which size. */

import { overMiddle } from './components/box.ts';
import { confirmBox } from './components/confirm.ts';
import { detailsLines } from './components/details.ts';
import { footerLines } from './components/footer.ts';
import { barsLine, gaugesLine, headLine, isStale, staleLines, withNote } from './components/head.ts';
import { helpLines } from './components/help.ts';
import { outcomesLines, progressBox } from './components/progress.ts';
import { promptLines } from './components/prompt.ts';
import { tableLines } from './components/table.ts';
import { ruleLine, tabsLine } from './components/tabs.ts';
import type { Where } from './keymap.ts';
import type * as views from './model/views.ts';
import { LOOKS, TABS } from './panes/all.ts';
import { cut, type Line, line, span } from './screen/line.ts';

export interface Size {
  columns: number;
  rows: number;
}

/** The least that it is made for. */
const LEAST: Size = { columns: 80, rows: 24 };
/** From so many rows on there is room for the nodes' bars, and for a rule above the keys. */
const ROWS_WITH_BARS = 30;
const ROWS_WITH_RULE = 32;

/** All that a screen is made of. */
export interface Shown {
  where: Where;
  head: views.HeadView;
  gauges: readonly views.GaugeView[];
  bars: readonly views.BarView[];
  tabs: views.TabsView;
  table: views.TableView;
  footer: views.FooterView;
  /** What stands in the table's place, or over it, or in the footer's place. */
  details: views.DetailsView | null;
  outcomes: views.OutcomesView | null;
  confirm: views.ConfirmView | null;
  progress: views.ProgressView | null;
  prompt: views.PromptView | null;
  /** The first line of the help that is in sight. */
  help: number | null;
}

interface Layout {
  bars: boolean;
  rule: boolean;
  /** Lines between tabs and keys. */
  body: number;
}

/** The last row stays empty, so that nothing ever scrolls. */
function layoutOf({ rows }: Size): Layout {
  const bars = rows >= ROWS_WITH_BARS;
  const rule = rows >= ROWS_WITH_RULE;
  return { bars, rule, body: Math.max(1, rows - 1 - 4 - Number(bars) - Number(rule)) };
}

/** Rows of a table that there is room for, below its header. */
export const tableHeight = (size: Size): number => Math.max(1, layoutOf(size).body - 1);

/** Nothing can be shown there, and so nothing done. */
export const isTooSmall = ({ columns, rows }: Size): boolean => columns < LEAST.columns || rows < LEAST.rows;

/** Lines from the top: at most `rows - 1`, none wider than `columns`. */
export function screenLines(shown: Shown, size: Size): Line[] {
  if (isTooSmall(size)) return tooSmall(size);
  const { head, prompt, footer, where } = shown;
  const { columns } = size;
  const { bars, rule, body } = layoutOf(size);
  const above = headLines(shown, columns, bars);
  const below = prompt ? promptLines(prompt, columns) : footerLines(footer, where, columns);
  // What is told and needs more than its line takes it from the table's place.
  const more = above.length + below.length - (bars ? 3 : 2);
  return [
    headLine(head, columns),
    ...above,
    tabsLine(shown.tabs, TABS, columns),
    ...bodyLines(shown, columns, Math.max(1, body - more)),
    ...(rule ? [ruleLine(columns)] : []),
    ...below,
  ];
}

/** The figures, and the nodes where there is room. What nodes don't say stands at the end of the last of them. */
function headLines({ head, gauges, bars }: Shown, columns: number, hasBars: boolean): Line[] {
  if (isStale(head)) return [...staleLines(head, columns), ...(hasBars ? [barsLine(bars, columns)] : [])];
  const lines = [
    (width: number) => gaugesLine(gauges, width),
    ...(hasBars ? [(width: number) => barsLine(bars, width)] : []),
  ];
  return lines.map((lineOf, at) =>
    head.why && at === lines.length - 1 ? withNote(lineOf, head.why, columns) : lineOf(columns),
  );
}

/** What the table's place shows, and over it what asks or tells. */
function bodyLines(shown: Shown, width: number, height: number): Line[] {
  const { confirm, progress } = shown;
  const under = underLines(shown, width, height);
  if (confirm) return overMiddle(under, confirmBox(confirm, width, height), width);
  if (progress) return overMiddle(under, progressBox(progress, width), width);
  return under;
}

function underLines({ help, footer, outcomes, details, table, tabs }: Shown, width: number, height: number): Line[] {
  if (help !== null) return helpLines(help, footer.readOnly, width, height);
  if (outcomes) return outcomesLines(outcomes, width, height);
  if (details) return detailsLines(details, width, height);
  const { columns, sorted } = LOOKS[table.pane];
  const by = sorted?.[tabs.sort.by];
  const arrow = by && { cell: by.cell, up: by.up !== tabs.sort.reversed };
  return tableLines({ table, columns, sorted: arrow, width, height });
}

function tooSmall({ columns, rows }: Size): Line[] {
  const texts = [
    `wssess top needs ${LEAST.columns}x${LEAST.rows}.`,
    `This is ${columns}x${rows}: make it larger,`,
    'or quit with q.',
  ];
  return texts.slice(0, Math.max(1, rows - 1)).map((text) => cut(line(span(text, 'strong')), columns));
}
