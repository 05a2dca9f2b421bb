/**
 * The one table of keys: it makes what a key does, the line at the bottom, `?`, and docs/top.md. A key that stands for
 * more than one thing is told apart by where one is.
 */
import type { Intent } from './model/actions.ts';
import { PANES } from './model/state.ts';
import type { Mode } from './model/views.ts';

/** Modes of the model, and `reason`: a confirm with the focus on its reason. */
export type Where = Mode | 'reason';

/** What the terminal itself is asked for. */
type Own = { type: 'stopProcess' };

export interface Binding {
  /** Names of keys: a character, or a name of input.ts. */
  keys: readonly string[];
  does: Intent | Own;
  /** A sentence for `?` and the docs. */
  help: string;
  /** A word for the line at the bottom; those without are only in `?`. */
  hint?: string;
  where: readonly Where[];
  group: Group;
  /** Changes something: not there with --read-only. */
  acts?: true;
  /** Shown only while there is something to stop, or to look at. */
  when?: 'canStop' | 'hasOutcomes' | 'canAct';
}

export type Group = 'Move' | 'Look' | 'Mark' | 'Act' | 'Go' | 'Type';

const TABLES: readonly Where[] = PANES;
const LISTS: readonly Where[] = [...PANES, 'outcomes', 'help'];
const EVERYWHERE: readonly Where[] = [...LISTS, 'details', 'progress'];
const LINES: readonly Where[] = ['filter', 'jump', 'reason'];
const SESSIONS: readonly Where[] = ['sessions', 'details'];

export const KEYMAP: readonly Binding[] = [
  {
    keys: ['enter'],
    does: { type: 'open' },
    group: 'Look',
    where: ['sessions'],
    hint: 'details',
    help: 'the details of the session',
  },
  {
    keys: ['enter'],
    does: { type: 'open' },
    group: 'Look',
    where: ['users', 'nodes'],
    hint: 'sessions',
    help: 'the sessions of this user, or on this node',
  },
  {
    keys: ['esc', 'backspace'],
    does: { type: 'back' },
    group: 'Look',
    where: ['details', 'outcomes', 'help'],
    hint: 'back',
    help: 'back to where you came from',
  },
  {
    keys: ['/'],
    does: { type: 'prompt', kind: 'filter' },
    group: 'Look',
    where: [...TABLES, 'details'],
    hint: 'filter',
    help: 'filter the sessions: words, user: role: node: ip:, * for anything',
  },
  {
    keys: ['esc'],
    does: { type: 'back' },
    group: 'Look',
    where: TABLES,
    help: 'undo the filter, then back to where you came from',
  },
  {
    keys: ['space'],
    does: { type: 'mark' },
    group: 'Mark',
    where: ['sessions'],
    hint: 'mark',
    acts: true,
    help: 'mark the session, or take the mark away',
  },
  {
    keys: ['v'],
    does: { type: 'markRange' },
    group: 'Mark',
    where: ['sessions'],
    acts: true,
    help: 'mark all from the last mark to here',
  },
  {
    keys: ['A'],
    does: { type: 'markAll' },
    group: 'Mark',
    where: ['sessions'],
    acts: true,
    help: 'mark all that match the filter',
  },
  {
    keys: ['U'],
    does: { type: 'unmarkAll' },
    group: 'Mark',
    where: ['sessions'],
    acts: true,
    help: 'take all marks away',
  },
  {
    keys: ['K'],
    does: { type: 'kick' },
    group: 'Act',
    where: SESSIONS,
    hint: 'kick',
    acts: true,
    help: 'kick the marked sessions, or this one; asks first',
  },
  {
    keys: ['r'],
    does: { type: 'refresh' },
    group: 'Act',
    where: SESSIONS,
    hint: 'refresh',
    acts: true,
    help: 'set the TTL of the marked sessions anew, or of this one',
  },
  {
    keys: ['x'],
    does: { type: 'stop' },
    group: 'Act',
    where: EVERYWHERE,
    hint: 'stop',
    when: 'canStop',
    help: 'stop what is being done; what is done is done',
  },
  {
    keys: ['o'],
    does: { type: 'outcomes' },
    group: 'Act',
    where: [...TABLES, 'progress'],
    hint: 'outcomes',
    when: 'hasOutcomes',
    help: 'what became of each session that was acted on',
  },
  {
    keys: ['s'],
    does: { type: 'sort' },
    group: 'Look',
    where: ['sessions'],
    hint: 'sort',
    help: 'sort by the next of connect time, idle, user, TTL',
  },
  { keys: ['S'], does: { type: 'reverse' }, group: 'Look', where: ['sessions'], help: 'the other way round' },
  { keys: ['up', 'k'], does: { type: 'move', by: -1 }, group: 'Move', where: LISTS, help: 'one up' },
  { keys: ['down', 'j'], does: { type: 'move', by: 1 }, group: 'Move', where: LISTS, help: 'one down' },
  {
    keys: ['pageup', 'ctrl-b'],
    does: { type: 'page', by: -1 },
    group: 'Move',
    where: LISTS,
    help: 'a page up',
  },
  {
    keys: ['pagedown', 'ctrl-f'],
    does: { type: 'page', by: 1 },
    group: 'Move',
    where: LISTS,
    help: 'a page down',
  },
  {
    keys: ['g', 'home'],
    does: { type: 'edge', to: 'first' },
    group: 'Move',
    where: LISTS,
    help: 'to the first',
  },
  {
    keys: ['G', 'end'],
    does: { type: 'edge', to: 'last' },
    group: 'Move',
    where: LISTS,
    help: 'to the last',
  },
  ...PANES.map((pane, at): Binding => {
    return {
      keys: [String(at + 1)],
      does: { type: 'go', to: pane },
      group: 'Go',
      where: [...TABLES, 'details'],
      help: `to the ${pane}`,
    };
  }),
  {
    keys: [':'],
    does: { type: 'prompt', kind: 'jump' },
    group: 'Go',
    where: [...TABLES, 'details'],
    hint: 'jump',
    help: `jump by name: ${PANES.join(', ')}, help, quit`,
  },
  {
    keys: ['?'],
    does: { type: 'help' },
    group: 'Go',
    where: [...TABLES, 'details', 'outcomes'],
    hint: 'help',
    help: 'all keys',
  },
  { keys: ['?', 'q'], does: { type: 'back' }, group: 'Go', where: ['help'], help: 'close this' },
  {
    keys: ['ctrl-z'],
    does: { type: 'stopProcess' },
    group: 'Go',
    where: [...EVERYWHERE, ...LINES, 'confirm'],
    help: 'to the shell; fg comes back',
  },
  {
    keys: ['q'],
    does: { type: 'quit' },
    group: 'Go',
    where: [...TABLES, 'details', 'outcomes'],
    hint: 'quit',
    help: 'quit',
  },
  {
    keys: ['ctrl-c'],
    does: { type: 'quit' },
    group: 'Go',
    where: [...EVERYWHERE, ...LINES, 'confirm'],
    help: 'quit, from wherever one is',
  },

  {
    keys: ['enter'],
    does: { type: 'accept' },
    group: 'Type',
    where: [...LINES, 'confirm', 'progress'],
    hint: 'choose',
    help: 'keep the filter, jump, or do what is chosen in a question',
  },
  {
    keys: ['esc'],
    does: { type: 'back' },
    group: 'Type',
    where: [...LINES, 'confirm', 'progress'],
    hint: 'cancel',
    help: 'as if nothing was typed or asked',
  },
  { keys: ['tab'], does: { type: 'complete' }, group: 'Type', where: ['jump'], help: 'complete the name' },
  {
    keys: ['tab', 'down', 'right'],
    does: { type: 'focus', by: 1 },
    group: 'Type',
    where: ['confirm'],
    hint: 'next',
    help: 'in a question: on to No, Yes, the reason',
  },
  {
    keys: ['shift-tab', 'up', 'left'],
    does: { type: 'focus', by: -1 },
    group: 'Type',
    where: ['confirm'],
    help: 'in a question: back',
  },
  {
    keys: ['tab', 'down'],
    does: { type: 'focus', by: 1 },
    group: 'Type',
    where: ['reason'],
    hint: 'next',
    help: 'from the reason on to No',
  },
  {
    keys: ['shift-tab', 'up'],
    does: { type: 'focus', by: -1 },
    group: 'Type',
    where: ['reason'],
    help: 'from the reason back to Yes',
  },
  {
    keys: ['left', 'ctrl-b'],
    does: { type: 'caret', to: 'left' },
    group: 'Type',
    where: LINES,
    help: 'one character back',
  },
  {
    keys: ['right', 'ctrl-f'],
    does: { type: 'caret', to: 'right' },
    group: 'Type',
    where: LINES,
    help: 'one character on',
  },
  {
    keys: ['home', 'ctrl-a'],
    does: { type: 'caret', to: 'start' },
    group: 'Type',
    where: LINES,
    help: 'to the beginning',
  },
  {
    keys: ['end', 'ctrl-e'],
    does: { type: 'caret', to: 'end' },
    group: 'Type',
    where: LINES,
    help: 'to the end',
  },
  {
    keys: ['backspace'],
    does: { type: 'erase', what: 'back' },
    group: 'Type',
    where: [...LINES, 'confirm'],
    help: 'erase a character',
  },
  {
    keys: ['delete', 'ctrl-d'],
    does: { type: 'erase', what: 'forward' },
    group: 'Type',
    where: LINES,
    help: 'erase the character under the caret',
  },
  {
    keys: ['ctrl-w'],
    does: { type: 'erase', what: 'word' },
    group: 'Type',
    where: LINES,
    help: 'erase a word',
  },
  {
    keys: ['ctrl-u'],
    does: { type: 'erase', what: 'line' },
    group: 'Type',
    where: LINES,
    help: 'erase all',
  },
];

/** Where characters are typed and not looked up. */
const TYPED: ReadonlySet<Where> = new Set<Where>(['filter', 'jump', 'confirm', 'reason']);

/** What a key means there; undefined: nothing. */
export function meaningOf(key: string, where: Where, readOnly: boolean): Intent | Own | undefined {
  const bound = KEYMAP.find((one) => one.where.includes(where) && one.keys.includes(key));
  if (bound) return bound.acts && readOnly ? undefined : bound.does;
  if (!TYPED.has(where)) return undefined;
  const text = key === 'space' ? ' ' : key;
  return [...text].length === 1 ? { type: 'text', text } : undefined;
}

/** Whether a key changes something there. */
export function isActing(key: string, where: Where): boolean {
  return KEYMAP.some((one) => one.acts && one.where.includes(where) && one.keys.includes(key));
}

/** How the keys of a binding are shown: all of them. */
export const shownKey = ({ keys }: Binding): string => keys.map(named).join(' ');
/** The one that the line at the bottom names. */
export const hintedKey = ({ keys }: Binding): string => named(keys[0]!);

const NAMES: Record<string, string> = {
  tab: 'Tab',
  'shift-tab': 'Shift-Tab',
  backspace: 'Backspace',
  delete: 'Del',
  enter: '↵',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  home: 'Home',
  end: 'End',
};

const named = (key: string): string =>
  NAMES[key] ?? key.replace(/^ctrl-./, (one) => `Ctrl-${one.slice(5).toUpperCase()}`);
