/** What a frame brings, or its fault: pure. */
import type { Session } from '../../../../sessions/model.ts';
import type { Found, Frame, NodeLoad, UserRow } from '../../../../sessions/overview.ts';
import type { Asks, News } from '../actions.ts';
import { orderOf } from '../order.ts';
import { deadness, isScanned, viewOf } from '../questions.ts';
import { addFrame, addGap } from '../rates.ts';
import type { Line, State, Table } from '../state.ts';
import { put } from '../table.ts';

type Of<Type extends News['type']> = Extract<News, { type: Type }>;

/** Milliseconds: a round trip that takes longer is called slow. */
const SLOW = 200;
/** Milliseconds for which it stands in a living session's row what became of it. */
const TAG_LASTS = 30_000;

export function onFrame(state: State, { at, asks, frame }: Of<'frame'>): State {
  const { took } = frame;
  const { foreign } = state;
  const next: State = {
    ...state,
    now: at,
    answeredAt: at,
    clockOffset: frame.at - at,
    link: { state: took > SLOW ? 'slow' : 'live', took },
    counts: { listed: frame.listed, own: frame.own, users: frame.users },
    rates: addFrame(
      state.rates,
      { nodes: frame.nodes, sessions: frame.own + foreign.count + foreign.orphans, users: frame.users + foreign.users },
      at,
    ),
    nodes: put(state.nodes, nodesOf(frame.nodes, state, at), state.height),
    foreign: { ...foreign, lines: lookedAt(foreign.lines, asks, frame, at).filter(({ item }) => !item.details) },
  };
  // An answer for another list than the one that is shown by now is too late.
  const shown = asks.view === viewOf(state) ? withRows(next, asks, frame) : next;
  return withTags(withEnded(shown, asks, frame), frame);
}

/** A confirm tells which of its targets have ended meanwhile. */
function withEnded(state: State, { look = [] }: Asks, { looked }: Frame): State {
  const { dialog } = state;
  if (dialog?.kind !== 'confirm') return state;
  const asked = new Set(look);
  const ended = dialog.targets.flatMap(({ id }) =>
    (asked.has(id) ? !looked.has(id) : dialog.ended.has(id)) ? [id] : [],
  );
  if (ended.length === 0 && dialog.ended.size === 0) return state;
  return { ...state, dialog: { ...dialog, ended: new Set(ended) } };
}

/** What became of a session is old news once it was seen alive for a while, unless its node is dead. */
function withTags(state: State, { sessions, looked }: Frame): State {
  const { outcomes, now } = state;
  if (outcomes.size === 0) return state;
  const isDead = deadness(state);
  const old = [...(sessions?.rows ?? []), ...looked.values()].filter((session) => {
    const outcome = outcomes.get(session.id);
    return outcome && now - outcome.at >= TAG_LASTS && !isDead(session);
  });
  if (old.length === 0) return state;
  const left = new Map(outcomes);
  for (const { id } of old) left.delete(id);
  return { ...state, outcomes: left };
}

export function onFault(state: State, { at, why, advice }: Of<'fault'>): State {
  const link = { state: 'stale', since: state.answeredAt, why, advice } as const;
  return { ...state, now: at, link, rates: addGap(state.rates, at) };
}

function withRows(state: State, asks: Asks, frame: Frame): State {
  const { place, height, now } = state;
  if (place.details) {
    const { key, item } = place.details;
    const found = frame.looked.get(key);
    if (!asks.look?.includes(key)) return state;
    const details = { ...place.details, item: found ?? item, gone: !found, seenAt: found ? now : place.details.seenAt };
    return { ...state, place: { ...place, details } };
  }
  if (frame.userRows && asks.users) {
    return { ...state, users: put(state.users, usersOf(frame.userRows, state.users, asks, now), height) };
  }
  if (isScanned(state)) return { ...state, sessions: withLooked(state, asks, frame) };
  if (frame.sessions && asks.sessions) return { ...state, sessions: withWindow(state, frame.sessions, asks, frame) };
  return state;
}

/** The window of the index, and behind its end the sessions that no node wrote. */
function withWindow(state: State, found: Found<Session>, asks: Asks, frame: Frame): Table<Session> {
  const { top, rows } = asks.sessions!;
  const { foreign, sessions, sort, now, height } = state;
  const wanted = Math.max(0, top + rows - found.total);
  const after = foreign.lines.slice(0, wanted).map((line, i) => ({ ...line, rank: found.total + i }));
  const total = found.total + foreign.lines.length;
  const { cursor } = sessions;
  const ended = cursor !== null && asks.look?.includes(cursor) && !frame.looked.has(cursor);
  // A sample of foreign ones needn't be the one before: a row that lives stays under the cursor.
  const seen = cursor !== null ? frame.looked.get(cursor) : undefined;
  const missing = ended || isKept(asks.sessions, cursor) ? 'ended' : seen && !seen.details ? 'kept' : 'elsewhere';
  const order = orderOf(sort);
  return put(
    sessions,
    {
      lines: [...found.rows.map((item, i) => lineOf(item.id, item, found.ranks[i] ?? found.top + i, now)), ...after],
      from: found.top,
      to: found.to >= found.total ? Math.min(total, found.total + wanted) : found.to,
      total,
      missing,
      chooses: sessions.lines.length === 0,
      compare: (a, b) => order(a.item, b.item),
    },
    height,
  );
}

/** The rows of a walk, with what the frame saw of those in sight. */
function withLooked({ sessions, sort, asked, now, height }: State, asks: Asks, frame: Frame): Table<Session> {
  const lines = lookedAt(sessions.lines, asks, frame, now).map((line, rank) => ({ ...line, rank }));
  const { cursor } = sessions;
  const ended = cursor !== null && asks.look?.includes(cursor) && !frame.looked.has(cursor);
  const order = orderOf(sort, asked.said);
  const [from, to, total] = [0, lines.length, lines.length];
  return put(
    sessions,
    {
      lines,
      from,
      to,
      total,
      missing: ended ? 'ended' : 'kept',
      chooses: false,
      compare: (a, b) => order(a.item, b.item),
    },
    height,
  );
}

/** Lines with what a frame saw of them; without those that have ended. */
function lookedAt(lines: readonly Line<Session>[], asks: Asks, frame: Frame, at: number): readonly Line<Session>[] {
  const looked = new Set(asks.look);
  if (looked.size === 0) return lines;
  return lines.flatMap((line) => {
    if (!looked.has(line.key)) return [line];
    const item = frame.looked.get(line.key);
    return item ? [{ ...line, item, gone: false, seenAt: at }] : [];
  });
}

function usersOf(found: Found<UserRow>, { cursor, lines: before }: Table<UserRow>, asks: Asks, at: number) {
  const lines = found.rows.map((item, i) => lineOf(item.user, item, found.ranks[i] ?? found.top + i, at));
  return {
    lines,
    from: found.top,
    to: found.to,
    total: found.total,
    missing: isKept(asks.users, cursor) ? ('ended' as const) : ('elsewhere' as const),
    chooses: before.length === 0,
    compare: (a: Line<UserRow>, b: Line<UserRow>) => b.item.newestAt - a.item.newestAt,
  };
}

function nodesOf(nodes: readonly NodeLoad[], state: State, at: number) {
  const lines = nodes.map((item, rank) => lineOf(item.name, item, rank, at));
  return {
    lines,
    from: 0,
    to: lines.length,
    total: lines.length,
    missing: 'ended' as const,
    chooses: state.nodes.lines.length === 0,
    compare: (a: Line<NodeLoad>, b: Line<NodeLoad>) => (a.key < b.key ? -1 : 1),
  };
}

const isKept = (window: Asks['sessions'], cursor: string | null): boolean =>
  cursor !== null && window?.keep?.id === cursor;

export function lineOf<Item>(key: string, item: Item, rank: number, seenAt: number): Line<Item> {
  return { key, item, rank, gone: false, seenAt };
}
