/** What stands over the table: its opening, typing, moving and closing. Pure. */
import type { Intent } from '../actions.ts';
import { parseFilter } from '../filter.ts';
import { emptyInput, erase, inputOf, insert, moveCaret } from '../input.ts';
import { type ConfirmFocus, type Dialog, type Input, PANES, type State } from '../state.ts';
import { confirm, stop } from './acts.ts';
import { go, holdFirst, withPlace } from './places.ts';

type Typing = Extract<Intent, { type: 'text' | 'erase' | 'caret' }>;

/** Characters that a line takes: more is a paste gone wrong. */
const MOST_TYPED = 2000;

/** What `:` knows beside the panes. */
const OTHER_JUMPS = ['help', 'quit'] as const;

export function prompt(state: State, kind: 'filter' | 'jump'): State {
  if (kind === 'jump') return { ...state, dialog: { kind, input: emptyInput, fault: null } };
  const there = go(state, 'sessions');
  const { filter } = there.place;
  const parsed = parseFilter(filter);
  const fault = typeof parsed === 'string' ? parsed : null;
  // A word that is typed now is one more, and not the end of the last.
  const input = inputOf(filter === '' ? '' : `${filter} `);
  return { ...there, dialog: { kind, input, before: filter, fault } };
}

/** Typing, wherever text is typed. */
export function type(state: State, intent: Typing): State {
  const { dialog } = state;
  if (dialog?.kind === 'confirm') {
    if (!dialog.reason || (intent.type !== 'text' && dialog.focus !== 'reason')) return state;
    return { ...state, dialog: { ...dialog, reason: edit(dialog.reason, intent), focus: 'reason', fault: null } };
  }
  if (dialog?.kind === 'jump') {
    return { ...state, dialog: { ...dialog, input: edit(dialog.input, intent), fault: null } };
  }
  if (dialog?.kind !== 'filter') return state;
  // The space is there already.
  if (intent.type === 'text' && intent.text === ' ' && dialog.input.text === `${dialog.before} `) return state;
  const input = edit(dialog.input, intent);
  const filter = parseFilter(input.text);
  if (typeof filter === 'string') return { ...state, dialog: { ...dialog, input, fault: filter } };
  const next = input.text.trim() === state.place.filter ? state : withFilter(state, input.text.trim());
  return { ...next, dialog: { ...dialog, input, fault: null } };
}

/** Tab in the jump line: as far as the name is certain. */
export function complete(state: State): State {
  const { dialog } = state;
  if (dialog?.kind !== 'jump') return state;
  const names = jumpsFor(dialog.input.text);
  return names.length === 0 ? state : { ...state, dialog: { ...dialog, input: inputOf(commonStart(names)) } };
}

/** Enter. */
export function accept(state: State): State {
  const { dialog } = state;
  switch (dialog?.kind) {
    case 'filter':
      // Whoever has filtered goes on with what was found.
      return dialog.fault === null ? holdFirst({ ...state, dialog: null }) : state;
    case 'jump':
      return jump(state, dialog);
    case 'confirm':
      if (dialog.focus === 'reason') return { ...state, dialog: { ...dialog, focus: 'no' } };
      return dialog.focus === 'yes' ? confirm(state) : { ...state, dialog: null };
    case 'progress':
      return state.work?.phase === 'done' ? { ...state, dialog: null } : state;
    default:
      return { ...state, dialog: null };
  }
}

/** Esc. */
export function close(state: State): State {
  const { dialog } = state;
  if (dialog?.kind === 'filter') return { ...withFilter(state, dialog.before), dialog: null };
  if (dialog?.kind === 'progress' && state.work?.phase !== 'done') return stop(state);
  return { ...state, dialog: null };
}

/** Tab and the arrows in a confirm. */
export function focus(state: State, by: 1 | -1): State {
  const { dialog } = state;
  if (dialog?.kind !== 'confirm') return state;
  const all: ConfirmFocus[] = dialog.reason ? ['reason', 'no', 'yes'] : ['no', 'yes'];
  const at = (all.indexOf(dialog.focus) + by + all.length) % all.length;
  return { ...state, dialog: { ...dialog, focus: all[at]! } };
}

/** Scrolls a list that stands over the table. How long the help is, the view knows: it stops at its end. */
export function scroll(state: State, by: number): State {
  const { dialog, work } = state;
  if (dialog?.kind !== 'outcomes' && dialog?.kind !== 'help') return state;
  const last = dialog.kind === 'outcomes' ? Math.max(0, (work?.targets.length ?? 0) - 1) : 200;
  return { ...state, dialog: { ...dialog, first: Math.max(0, Math.min(last, dialog.first + by)) } };
}

/** The names that a text may mean: itself, or all that begin so. */
export function jumpsFor(text: string): readonly string[] {
  const start = text.trim().toLowerCase();
  const names = [...PANES, ...OTHER_JUMPS].filter((name) => name.startsWith(start));
  return names.some((name) => name === start) ? [start] : names;
}

function jump(state: State, dialog: Extract<Dialog, { kind: 'jump' }>): State {
  const text = dialog.input.text.trim();
  if (text === '') return { ...state, dialog: null };
  const names = jumpsFor(text);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    const fault = name ? `${names.join(' or ')}?` : `no ${text}: there are ${[...PANES, ...OTHER_JUMPS].join(', ')}`;
    return { ...state, dialog: { ...dialog, fault } };
  }
  if (name === 'quit') return { ...state, dialog: null, quit: true };
  if (name === 'help') return { ...state, dialog: { kind: 'help', first: 0 } };
  return go({ ...state, dialog: null }, PANES.find((pane) => pane === name)!);
}

function withFilter(state: State, filter: string): State {
  return state.place.filter === filter ? state : withPlace(state, { ...state.place, filter });
}

function edit(input: Input, intent: Typing): Input {
  if (intent.type === 'erase') return erase(input, intent.what);
  if (intent.type === 'caret') return moveCaret(input, intent.to);
  const next = insert(input, intent.text);
  return next.text.length <= MOST_TYPED ? next : input;
}

/** The longest beginning that all have in common. */
function commonStart([one = '', ...others]: readonly string[]): string {
  let end = one.length;
  for (const other of others) while (!other.startsWith(one.slice(0, end))) end--;
  return one.slice(0, end);
}
