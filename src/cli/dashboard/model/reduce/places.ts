/** Where one is, and how one goes on and back: pure. */
import { fieldFilter } from '../filter.ts';
import { filterOf, isScanned, questionKey } from '../questions.ts';
import { emptyTable, type PaneName, type Place, SORTS, type SortName, type State } from '../state.ts';
import { cursorLine, hold, stay } from '../table.ts';
import { lineOf } from './frames.ts';

/** Places that esc leads back through, at most. */
const MOST_TRAIL = 20;

/** To a pane; its filter is the one it was left with. */
export function go(state: State, pane: PaneName): State {
  const { place } = state;
  if (place.pane === pane && !place.details) return state;
  return goTo(state, { ...place, pane, details: null });
}

/** Enter: details of a session, the sessions of a user or a node. */
export function open(state: State): State {
  const { place } = state;
  if (place.details) return state;
  const sessionsWith = (filter: string): Place => ({ pane: 'sessions', filter, base: filter, details: null });
  if (place.pane === 'sessions') {
    const line = cursorLine(state.sessions);
    return line ? goTo(state, { ...place, details: line }) : holdFirst(state);
  }
  const line = cursorLine<unknown>(place.pane === 'users' ? state.users : state.nodes);
  if (!line) return holdFirst(state);
  return goTo(state, sessionsWith(fieldFilter(place.pane === 'users' ? 'user' : 'node', line.key)));
}

/** Esc on a table: the filter first, then the way that one came. */
export function back(state: State): State {
  const { place, trail } = state;
  if (place.pane === 'sessions' && !place.details && place.filter !== place.base) {
    return withPlace(state, { ...place, filter: place.base });
  }
  const last = trail.at(-1);
  return last ? { ...withPlace(state, last), trail: trail.slice(0, -1) } : state;
}

/** For a key that needs a row while none is chosen: it chooses the first on the screen, and does nothing else yet. */
export function holdFirst(state: State): State {
  const { place, sessions, users, nodes, height } = state;
  if (place.pane === 'users') return { ...state, users: hold(users, height) };
  if (place.pane === 'nodes') return { ...state, nodes: hold(nodes, height) };
  return { ...state, sessions: hold(sessions, height) };
}

export function sort(state: State, by?: SortName): State {
  if (state.place.pane !== 'sessions' || state.place.details) return state;
  const next = by ?? SORTS[(SORTS.indexOf(state.sort.by) + 1) % SORTS.length]!;
  return changed(state, { ...state, sort: { by: next, reversed: false } });
}

export function reverse(state: State): State {
  if (state.place.pane !== 'sessions' || state.place.details) return state;
  return changed(state, { ...state, sort: { ...state.sort, reversed: !state.sort.reversed } });
}

/** Another place, with the rows that belong to it. */
export function withPlace(state: State, place: Place): State {
  return changed(state, { ...state, place });
}

function goTo(state: State, place: Place): State {
  const { sessions, users } = state;
  // Where a jump would have led is not waited for: one has gone on from what was shown.
  const here = { ...state, sessions: stay(sessions), users: stay(users) };
  return { ...withPlace(here, place), trail: [...state.trail, state.place].slice(-MOST_TRAIL) };
}

/** When the sessions' question is another one now: what is at hand and fits stays until the answer is there. */
function changed(before: State, after: State): State {
  if (questionKey(before) === questionKey(after)) return after;
  const { cursor, taken, lines } = before.sessions;
  const left = { ...after, scan: null, gathering: null };
  const sameOrder = before.sort === after.sort;
  // In another order, the row that a key has put the cursor on is looked for among what comes.
  const sought = !sameOrder && taken ? { cursor, taken } : {};
  if (!sameOrder || !isQuestion(after)) return { ...left, sessions: { ...emptyTable(), ...sought } };
  const { fits } = filterOf(after);
  const kept = lines
    .filter(({ item, gone }) => !gone && fits(item))
    .map(({ key, item, seenAt }, rank) => lineOf(key, item, rank, seenAt));
  const total = kept.length;
  // The row that keys act on is one that is shown, or none.
  const held = kept.some(({ key }) => key === cursor) ? { cursor, taken } : {};
  return { ...left, sessions: { ...emptyTable(), lines: kept, to: total, total, ...held } };
}

/** Whether the sessions of this state are walked for, also while another pane is shown. */
const isQuestion = (state: State): boolean => isScanned({ ...state, place: { ...state.place, pane: 'sessions' } });
