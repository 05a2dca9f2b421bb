/** What the panes are given. Every text is made visible already (common/escape) and one line; widths are the view's matter. */
import type { ActName, ConfirmFocus, Input, PaneName, SortName } from './state.ts';

/** What a text means; the view makes a colour and a sign of it. */
export type Tone = 'plain' | 'dim' | 'bad' | 'aging' | 'good';

export interface Cell {
  text: string;
  tone: Tone;
}

/** The line at the top. */
export interface HeadView {
  where: string;
  /** `0.4 ms`; '' before the first answer. */
  took: string;
  /** `3 nodes`, `1 node`: those that live. */
  nodes: string;
  /** `read-only` or ''. */
  access: string;
  /** `live`, `slow`, `connecting`, `stale since 14:26:58`. */
  link: Cell;
  /** Why it is stale: one line; '' else. */
  why: string;
  /** `14:27:02`, local. */
  clock: string;
}

/** A figure of the overview line. */
export interface GaugeView {
  /** `SESSIONS`, `USERS`, `IN`, `OUT`, `KICKED`, `MSGS`, `FOREIGN`: in this order; the last give way first. */
  name: string;
  /** `12,412`, `11/s`, `3.3k/s`, `-` when not known. */
  text: string;
  /** The last minutes, oldest first, one point every two seconds; null where nothing is known. Empty: no sparkline. */
  series: readonly (number | null)[];
  tone: Tone;
}

/** The bar of a node. */
export interface BarView {
  node: string;
  sessions: string;
  /** Of the largest: 0 to 1. */
  share: number;
  alive: boolean;
}

/** The line between overview and table. */
export interface TabsView {
  active: PaneName;
  /** `details of 9fX2…` under the active pane, or ''. */
  under: string;
  /** The filter as typed, or ''. */
  filter: string;
  sort: { by: SortName; reversed: boolean };
  /** `38 of 12,412`, `12,412`, `38 so far`. */
  count: string;
  /** `scanned 41 %` while a result is partial, or ''. */
  partial: string;
  /** `2 marked` or ''. */
  marked: string;
}

/** A row of a table. */
export interface RowView {
  key: string;
  /** By column. A column that is not known has `-`; one without a value is ''. */
  cells: Readonly<Record<string, Cell>>;
  cursor: boolean;
  marked: boolean;
  /** It has ended and stands here only since the cursor is on it. */
  gone: boolean;
  /** Its node's lease has ended: no socket backs it. */
  dead: boolean;
  /** What became of it when it was acted on, or null. */
  outcome: Cell | null;
}

/** Names of the cells of the sessions' rows. */
export const SESSION_CELLS = [
  'session',
  'user',
  'role',
  'node',
  'ip',
  'conn',
  'idle',
  'ttl',
  'subs',
  'recv',
  'sent',
  'stomp',
  'agent',
] as const;
export const USER_CELLS = ['user', 'sessions', 'newest'] as const;
export const NODE_CELLS = [
  'node',
  'state',
  'sessions',
  'in',
  'out',
  'msgs',
  'loop',
  'cpu',
  'rss',
  'up',
  'seen',
  'url',
  'version',
] as const;

export interface TableView {
  pane: PaneName;
  /** As many as the screen has room for, or fewer; null: a row that is not here yet. */
  rows: readonly (RowView | null)[];
  /** Rank of the first row on the screen, and the length of the list: for a scroll bar. */
  top: number;
  total: number;
  /** What is said in an empty table; '' when there are rows. */
  empty: string;
}

export interface DetailsView {
  id: string;
  gone: boolean;
  dead: boolean;
  fields: readonly { name: string; value: Cell }[];
}

/** An input line, with the caret as an index of `text`. */
export interface InputView extends Input {
  fault: string;
}

export interface PromptView {
  kind: 'filter' | 'jump';
  input: InputView;
  /** What tab would complete, dimmed behind the caret; or ''. */
  hint: string;
}

export interface ConfirmView {
  act: ActName;
  /** `Kick 2 sessions`. */
  title: string;
  /** The first 8. */
  whom: readonly { user: string; session: string; node: string }[];
  /** How many more. */
  more: number;
  /** null: this act takes none. */
  reason: InputView | null;
  focus: ConfirmFocus;
  /** `Yes, kick 2`. */
  yes: string;
  /** What to know before a yes, like foreign sessions that no node can close; '' else. */
  warning: string;
}

export interface ProgressView {
  /** `Kicking 2,000 sessions`, `Kicked 1,204 of 2,000`. */
  title: string;
  done: number;
  of: number;
  /** `1,198 kicked`, `6 already_gone`: the most first. */
  counts: readonly Cell[];
  phase: 'running' | 'stopping' | 'done';
  /** Why it ended early; '' else. */
  fault: string;
}

/** What became of each: a list that scrolls. */
export interface OutcomesView {
  title: string;
  first: number;
  total: number;
  rows: readonly { session: string; user: string; node: string; outcome: Cell; what: string }[];
}

/** Which keys mean something. */
export type Mode = PaneName | 'details' | 'filter' | 'jump' | 'confirm' | 'progress' | 'outcomes' | 'help';

export interface FooterView {
  mode: Mode;
  readOnly: boolean;
  /** A row is under the cursor or sessions are marked: acts would do something. */
  canAct: boolean;
  /** Something runs that `stop` ends. */
  canStop: boolean;
  /** The list of the last outcomes can be opened. */
  hasOutcomes: boolean;
  /** One line that is told instead of the hints, or null. */
  note: Cell | null;
}
