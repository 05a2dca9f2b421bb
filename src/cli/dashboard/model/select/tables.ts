/** The table that is on the screen, and the details over it. */
import { visible } from '../../../../common/escape.ts';
import type { Session } from '../../../../sessions/model.ts';
import type { NodeLoad, UserRow } from '../../../../sessions/overview.ts';
import { unlistedUsers } from '../meaning.ts';
import { deadness, isScanned, shownLines } from '../questions.ts';
import type { Line, State, Table } from '../state.ts';
import type { Cell, NODE_CELLS, RowView, TableView, USER_CELLS } from '../views.ts';
import { sessionCells } from './session-rows.ts';
import { age, cell, megabytes, milliseconds, outcomeCell, perSecond, thousands, UNKNOWN } from './text.ts';

export { detailsView } from './session-rows.ts';

export function tableView(state: State): TableView {
  switch (state.place.pane) {
    case 'users':
      return view(state, state.users, (line) => ({ cells: userCells(state, line) }));
    case 'nodes':
      return view(state, state.nodes, (line) => ({ cells: nodeCells(state, line), dead: !line.item.alive }));
    default: {
      const isDead = deadness(state);
      return view(state, state.sessions, (line) => sessionRow(state, line, isDead(line.item)));
    }
  }
}

function sessionRow(state: State, line: Line<Session>, dead: boolean): Partial<RowView> & Pick<RowView, 'cells'> {
  const outcome = state.outcomes.get(line.key)?.outcome;
  return {
    cells: sessionCells(state, line, dead),
    marked: state.marks.has(line.key),
    dead,
    outcome: outcome ? outcomeCell(outcome) : null,
  };
}

function view<Item>(
  state: State,
  table: Table<Item>,
  rowOf: (line: Line<Item>) => Partial<RowView> & Pick<RowView, 'cells'>,
): TableView {
  const { lines, total, cursor, first, to } = table;
  const rows: (RowView | null)[] = shownLines(table, state.height).map((line) => ({
    key: line.key,
    cursor: line.key === cursor,
    marked: false,
    gone: line.gone,
    dead: false,
    outcome: null,
    ...rowOf(line),
  }));
  const isDead = isDeadStretch(table);
  const missing = isDead ? 0 : Math.min(state.height - rows.length, total - to);
  for (let i = 0; i < missing; i++) rows.push(null);
  return {
    pane: state.place.pane,
    rows,
    top: lines[first]?.rank ?? 0,
    total,
    empty: rows.length > 0 ? '' : isDead ? deadText(table) : emptyText(state),
  };
}

/** Where one is, Redis was looked at, and nothing lives. */
function isDeadStretch({ lines, from, to, jump }: Table<unknown>): boolean {
  return lines.length === 0 && to > from && !jump;
}

function deadText({ from, to, total }: Table<unknown>): string {
  const looked = thousands(to - from);
  if (from === 0 && to >= total) return `nothing lives: all ${looked} entries of the index are of sessions that ended`;
  return `${looked} of ${thousands(total)} entries of the index are of sessions that ended: looking on`;
}

function emptyText(state: State): string {
  const { place, counts, scan, link } = state;
  if (!counts) return link.state === 'stale' ? 'Redis has not answered yet' : 'waiting for Redis';
  if (place.pane === 'nodes') return 'no nodes: no wssess serve writes to this Redis';
  if (place.pane === 'users') return noUsers(state);
  if (!isScanned(state)) return counts.own > 0 || state.foreign.partial ? 'looking' : 'no sessions';
  return scan?.whole ? `no session matches ${visible(place.filter)}` : 'nothing found yet';
}

function noUsers({ counts, foreign }: State): string {
  if (counts && counts.users > 0) return 'looking';
  if (foreign.users === 0) return 'no users online';
  return unlistedUsers(foreign);
}

function userCells({ now, clockOffset }: State, { item }: Line<UserRow>): Record<(typeof USER_CELLS)[number], Cell> {
  return {
    user: cell(visible(item.user)),
    sessions: cell(`${thousands(item.sessions)}${item.more ? '+' : ''}`),
    newest: cell(age(now + clockOffset - item.newestAt)),
  };
}

/** Milliseconds: an event loop that is later than this is overloaded. */
const LATE_LOOP = 100;

function nodeCells(
  { now, clockOffset, rates }: State,
  { item: { name, alive, seenAt, info, sessions } }: Line<NodeLoad>,
): Record<(typeof NODE_CELLS)[number], Cell> {
  const pace = rates.paces.get(info?.incarnation ?? '')?.perSecond;
  const load = <Value>(value: Value | null | undefined, show: (known: Value) => Cell): Cell => {
    if (!alive) return cell('');
    return value === null || value === undefined ? UNKNOWN : show(value);
  };
  const rate = (value: number | null | undefined) => load(value, (known) => cell(perSecond(known)));
  return {
    node: cell(visible(name), alive ? 'plain' : 'bad'),
    state: !alive ? cell('gone', 'bad') : info?.draining ? cell('draining', 'aging') : cell('alive', 'good'),
    sessions: alive ? cell(thousands(sessions)) : cell(''),
    in: rate(pace?.connects),
    out: rate(pace?.disconnects),
    msgs: rate(pace?.messages_out),
    loop: load(info?.loop_delay_ms, (ms) => cell(milliseconds(ms), ms > LATE_LOOP ? 'bad' : 'plain')),
    cpu: load(info?.cpu, (share) => cell(`${Math.round(share * 100)} %`, share > 0.9 ? 'aging' : 'plain')),
    rss: load(info?.rss, (bytes) => cell(megabytes(bytes))),
    up: load(info?.started_at, (at) => cell(age(now - Date.parse(at)))),
    seen: cell(age(now + clockOffset - seenAt), alive ? 'plain' : 'bad'),
    url: cell(visible(info?.url ?? '')),
    version: cell(visible(info?.version ?? '')),
  };
}
