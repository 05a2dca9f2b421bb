/** Marks, by session id: pure. */
import type { Session } from '../../../../sessions/model.ts';
import type { News } from '../actions.ts';
import { isScanned, questionKey } from '../questions.ts';
import type { Line, State } from '../state.ts';
import { cursorIndex, move, stay } from '../table.ts';
import { holdFirst } from './places.ts';

type Of<Type extends News['type']> = Extract<News, { type: Type }>;

/** Sessions that can be marked. */
export const MOST_MARKS = 10_000;
const TOO_MANY = `more than ${MOST_MARKS.toLocaleString('en-US')} sessions match: narrow the filter`;

/** Marks the row under the cursor or takes its mark away, and goes on to the next row. */
export function mark(state: State): State {
  if (!isOnSessions(state)) return elsewhere(state);
  const table = stay(state.sessions);
  const line = table.lines[cursorIndex(table)];
  if (!line) return holdFirst(state);
  const sessions = move(table, 1, state.height);
  if (state.marks.has(line.key)) {
    return { ...state, sessions, marks: without(state.marks, [line.key]), lastMark: line.key };
  }
  if (line.gone) return tell(state, 'it has ended');
  return withMarks({ ...state, sessions, lastMark: line.key }, [line.item]);
}

/** Marks from the last mark to the cursor. */
export function markRange(state: State): State {
  if (!isOnSessions(state)) return elsewhere(state);
  const table = stay(state.sessions);
  const at = cursorIndex(table);
  const from = table.lines.findIndex(({ key }) => key === state.lastMark);
  if (at < 0) return holdFirst(state);
  if (from < 0) return tell(state, 'a range begins at the last mark: mark a row near this one first');
  const range = table.lines.slice(Math.min(at, from), Math.max(at, from) + 1);
  const { key } = table.lines[at]!;
  return withMarks({ ...state, sessions: table, lastMark: key }, living(range));
}

/** Marks all that match: at once when all are at hand, else after a walk. */
export function markAll(state: State): State {
  if (!isOnSessions(state)) return elsewhere(state);
  if (state.gathering) return state;
  const { scan, sessions, counts } = state;
  const question = questionKey(state);
  if (isScanned(state) && scan?.whole && !scan.running && scan.matched <= sessions.lines.length) {
    return withMarks(state, living(sessions.lines));
  }
  if (!isScanned(state) && counts && counts.listed > MOST_MARKS) return tell(state, TOO_MANY);
  if (scan?.whole && scan.matched > MOST_MARKS) return tell(state, TOO_MANY);
  return { ...state, gathering: { question, scanned: 0, found: 0 } };
}

export function unmarkAll(state: State): State {
  return { ...state, marks: new Map(), lastMark: null };
}

export function onGathering(state: State, { question, scanned, found }: Of<'gathering'>): State {
  return state.gathering?.question === question ? { ...state, gathering: { question, scanned, found } } : state;
}

export function onGathered(state: State, { question, sessions }: Of<'gathered'>): State {
  if (state.gathering?.question !== question) return state;
  const next = { ...state, gathering: null };
  return sessions ? withMarks(next, sessions) : tell(next, TOO_MANY);
}

/** Without the marks of these. */
export function without(marks: ReadonlyMap<string, Session>, ids: Iterable<string>): ReadonlyMap<string, Session> {
  const left = new Map(marks);
  for (const id of ids) left.delete(id);
  return left;
}

function withMarks(state: State, sessions: readonly Session[]): State {
  const marks = new Map(state.marks);
  for (const session of sessions) marks.set(session.id, session);
  return marks.size <= MOST_MARKS ? { ...state, marks } : tell(state, TOO_MANY);
}

const living = (lines: readonly Line<Session>[]): Session[] =>
  lines.filter(({ gone }) => !gone).map(({ item }) => item);
const isOnSessions = ({ place }: State): boolean => place.pane === 'sessions' && !place.details;
const tell = (state: State, text: string): State => ({ ...state, note: { text, tone: 'bad' } });

function elsewhere(state: State): State {
  return state.place.details
    ? state
    : tell(state, 'sessions are marked in their own pane: Enter shows those of this row');
}
