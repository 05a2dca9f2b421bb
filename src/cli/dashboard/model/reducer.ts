/** One state and what happens make the next state. Pure: no clock, no Redis, no chance. */
import type { Action, Intent, News } from './actions.ts';
import { unlistedUsers } from './meaning.ts';
import { isScanned } from './questions.ts';
import { onProgress, onWorked, propose, stop } from './reduce/acts.ts';
import { accept, close, complete, focus, prompt, scroll, type } from './reduce/dialogs.ts';
import { onFault, onFrame } from './reduce/frames.ts';
import { mark, markAll, markRange, onGathered, onGathering, unmarkAll } from './reduce/marks.ts';
import { back, go, open, reverse, sort } from './reduce/places.ts';
import { onSaid, onScan, onSurvey } from './reduce/walks.ts';
import type { State, Table } from './state.ts';
import { goToEdge, move, page, resize } from './table.ts';

const NEWS: ReadonlySet<string> = new Set<News['type']>([
  'size',
  'frame',
  'fault',
  'tick',
  'scan',
  'survey',
  'said',
  'gathering',
  'gathered',
  'progress',
  'worked',
  'note',
]);

/** Whether it came from a key. */
export function isIntent(action: Action): action is Intent {
  return !NEWS.has(action.type);
}

export function reduce(state: State, action: Action): State {
  if (!isIntent(action)) return onNews(state, action);
  if (action.type === 'quit') return { ...state, quit: true };
  // What was told was read before the next key.
  const seen = state.note ? { ...state, note: null } : state;
  return seen.dialog ? inDialog(seen, action) : onTable(seen, action);
}

function onNews(state: State, news: News): State {
  switch (news.type) {
    case 'size':
      return onSize(state, news.height);
    case 'frame':
      return onFrame(state, news);
    case 'fault':
      return onFault(state, news);
    case 'tick':
      return { ...state, now: news.at };
    case 'scan':
      return onScan(state, news);
    case 'survey':
      return onSurvey(state, news);
    case 'said':
      return onSaid(state, news);
    case 'gathering':
      return onGathering(state, news);
    case 'gathered':
      return onGathered(state, news);
    case 'progress':
      return onProgress(state, news);
    case 'worked':
      return onWorked(state, news);
    case 'note':
      return { ...state, note: { text: news.text, tone: news.tone } };
  }
}

/** Keys while something stands over the table: what it has no meaning for does nothing. */
function inDialog(state: State, intent: Intent): State {
  switch (intent.type) {
    case 'text':
    case 'erase':
    case 'caret':
      return type(state, intent);
    case 'complete':
      return complete(state);
    case 'focus':
      return focus(state, intent.by);
    case 'accept':
    case 'open':
      return accept(state);
    case 'back':
      return close(state);
    case 'stop':
      return stop(state);
    case 'move':
      return scroll(state, intent.by);
    case 'page':
      return scroll(state, intent.by * state.height);
    case 'edge':
      return scroll(state, intent.to === 'first' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    default:
      return state;
  }
}

function onTable(state: State, intent: Intent): State {
  const { height } = state;
  switch (intent.type) {
    case 'move':
      return onShown(state, (table) => move(table, intent.by, height));
    case 'page':
      return onShown(state, (table) => page(table, intent.by, height));
    case 'edge':
      return onShown(intent.to === 'last' ? withSampleTold(state) : state, (table) =>
        goToEdge(table, intent.to, height),
      );
    case 'open':
    case 'accept':
      return open(state);
    case 'back':
      return state.gathering ? stop(state) : back(state);
    case 'go':
      return go(state, intent.to);
    case 'help':
      return { ...state, dialog: { kind: 'help', first: 0 } };
    case 'prompt':
      return prompt(state, intent.kind);
    case 'mark':
      return mark(state);
    case 'markRange':
      return markRange(state);
    case 'markAll':
      return markAll(state);
    case 'unmarkAll':
      return unmarkAll(state);
    case 'sort':
      return sort(state, intent.by);
    case 'reverse':
      return reverse(state);
    case 'kick':
    case 'refresh':
      return propose(state, intent.type);
    case 'stop':
      return stop(state);
    case 'outcomes':
      return state.work?.phase === 'done' ? { ...state, dialog: { kind: 'outcomes', first: 0 } } : state;
    default:
      return state;
  }
}

/** Changes the table that is on the screen. */
function onShown(state: State, change: <Item>(table: Table<Item>) => Table<Item>): State {
  const { place } = state;
  if (place.details) return state;
  if (place.pane === 'users') return { ...state, users: change(state.users) };
  if (place.pane === 'nodes') return { ...state, nodes: change(state.nodes) };
  return { ...state, sessions: change(state.sessions) };
}

/** Whoever goes to the end is told when it is not the end of all. */
function withSampleTold(state: State): State {
  const { foreign, place } = state;
  if (place.pane === 'users' && foreign.users > 0) {
    return { ...state, note: { text: unlistedUsers(foreign), tone: 'plain' } };
  }
  const [shown, all] = [foreign.lines.length, foreign.count].map((count) => count.toLocaleString('en-US'));
  if (place.pane !== 'sessions' || place.details || isScanned(state) || shown === all) return state;
  const text = `only ${shown} of ${all} foreign sessions are listed: / with a filter looks through all`;
  return { ...state, note: { text, tone: 'plain' } };
}

function onSize(state: State, rows: number): State {
  const height = Math.max(1, Math.floor(rows));
  if (height === state.height) return state;
  const { sessions, users, nodes } = state;
  return {
    ...state,
    height,
    sessions: resize(sessions, height),
    users: resize(users, height),
    nodes: resize(nodes, height),
  };
}
