/** What a state needs to know: pure. The effects ask it, nobody else. */
import type { Session } from '../../../sessions/model.ts';
import type { Asks } from './actions.ts';
import { type Filter, NO_MATCH, parseFilter } from './filter.ts';
import type { Line, Sort, State, Table } from './state.ts';
import { cursorLine, isShort, windowOf } from './table.ts';

/** A list of sessions that must be walked for. */
export interface Question {
  filter: Filter;
  sort: Sort;
}

/** Rows that are looked at in each frame, at most. */
const MOST_LOOKED = 200;

/** The filter that is in force. A text that is no filter matches nothing: never more is acted on than was meant. */
export function filterOf({ place }: State): Filter {
  const filter = parseFilter(place.filter);
  return typeof filter === 'string' ? NO_MATCH : filter;
}

/** Which list is on the screen: rows of another one are not put into it. */
export function viewOf(state: State): string {
  const { place, sort } = state;
  if (place.pane !== 'sessions') return place.pane;
  return isScanned(state) ? questionKey(state) : `newest ${sort.reversed}`;
}

/** True when the sessions must be walked for: a filter, or an order that Redis keeps no index of. */
export function isScanned({ place, sort }: State): boolean {
  return place.pane === 'sessions' && (place.filter.trim() !== '' || sort.by !== 'connected');
}

/** Names the question that the sessions' table asks, walked for or not. */
export function questionKey({ place, sort }: State): string {
  return JSON.stringify([place.filter.trim(), sort.by, sort.reversed]);
}

export function questionOf(state: State): Question {
  return { filter: filterOf(state), sort: state.sort };
}

/** Whether a session's process is gone: its lease ended, or another process has its node's name. */
export function deadness({ nodes, counts }: State): (session: Session) => boolean {
  const living = new Map(
    nodes.lines.map(({ item, gone }) => [item.name, item.alive && !gone ? item.info?.incarnation : undefined]),
  );
  return ({ details }) => counts !== null && details !== null && living.get(details.node) !== details.incarnation;
}

/** The lines on the screen. */
export function shownLines<Item>({ lines, first }: Table<Item>, height: number): readonly Line<Item>[] {
  return lines.slice(first, first + height);
}

/** Sessions whose rows or details are on the screen. */
export function sessionsInSight({ place, sessions, height }: State): readonly Session[] {
  if (place.details) return [place.details.item];
  if (place.pane !== 'sessions') return [];
  return shownLines(sessions, height).map(({ item }) => item);
}

/** What a frame has to ask: what the table shows, and whether the targets of a confirm live. */
export function asksOf(state: State): Asks {
  const asks = asksOfTable(state);
  const { dialog } = state;
  if (dialog?.kind !== 'confirm') return asks;
  const targets = dialog.targets.slice(0, MOST_LOOKED).map(({ id }) => id);
  return { ...asks, look: [...new Set([...(asks.look ?? []), ...targets])] };
}

function asksOfTable(state: State): Asks {
  const { place, users, sessions, height, sort } = state;
  const view = viewOf(state);
  if (place.details) return { view, look: [place.details.key] };
  if (place.pane === 'users') {
    return { view, users: windowOf(users, { height, oldestFirst: false, scoreOf: (user) => user.newestAt }) };
  }
  if (place.pane !== 'sessions') return { view };
  const looked = new Set(
    shownLines(sessions, height)
      .filter(({ item }) => isScanned(state) || !item.details)
      .map(({ key }) => key),
  );
  const held = cursorLine(sessions);
  if (held && (isScanned(state) || !held.item.details)) looked.add(held.key);
  const look = [...looked].slice(0, MOST_LOOKED);
  if (isScanned(state)) return { view, look };
  const scoreOf = ({ details }: Session) => details?.connectedAt ?? null;
  return { view, look, sessions: windowOf(sessions, { height, oldestFirst: sort.reversed, scoreOf }) };
}

/** True when the screen waits for rows: a frame is due now. */
export function isUrgent(state: State): boolean {
  const { place, height } = state;
  if (place.details || state.counts === null) return false;
  if (place.pane === 'users') return isShort(state.users, height) || isEmpty(state.users);
  return place.pane === 'sessions' && !isScanned(state) && (isShort(state.sessions, height) || isEmpty(state.sessions));
}

const isEmpty = ({ lines }: Table<unknown>): boolean => lines.length === 0;
