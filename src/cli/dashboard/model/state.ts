/** All that the dashboard knows, as one value that is never changed, only replaced. Types and the beginning; no I/O. */
import type { Live, Session } from '../../../sessions/model.ts';
import type { NodeLoad, UserRow } from '../../../sessions/overview.ts';
import type { Dialog } from './dialog.ts';
import { emptyRates, type Rates } from './rates.ts';
import type { Tag, Work } from './work.ts';

export type { ActName, ConfirmFocus, Dialog, Input } from './dialog.ts';
export type { ActOutcome, Tag, Work } from './work.ts';

/** The panes, in the order of their numbers (1, 2, …). A later pane is a name here, a table in State, a file in panes/. */
export const PANES = ['sessions', 'users', 'nodes'] as const;
export type PaneName = (typeof PANES)[number];

/** What sessions can be sorted by, in the order in which `s` steps through them. */
export const SORTS = ['connected', 'idle', 'user', 'ttl'] as const;
export type SortName = (typeof SORTS)[number];

/** Newest first, longest idle first, users from A, shortest TTL first; the other way round when `reversed`. */
export interface Sort {
  by: SortName;
  reversed: boolean;
}

/** A row at hand. */
export interface Line<Item> {
  /** Session id, user or node: what the cursor and marks hold on to. */
  key: string;
  item: Item;
  /** Its place in the whole list, as far as known. */
  rank: number;
  /** It has ended; it is kept in its place only while the cursor is on it. */
  gone: boolean;
  /** Milliseconds since 1970, local clock: when `item` was true. */
  seenAt: number;
}

/** Where the cursor is to go as soon as the rows there are at hand. */
export interface Jump {
  rank: number;
  /** The row of the screen on which it is to stand. */
  row: number;
}

/**
 * A stretch of a list, and the cursor in it. The cursor is a key, never a number: rows that come and go above it move
 * it on the screen at most, and never make it another row.
 */
export interface Table<Item> {
  lines: readonly Line<Item>[];
  /** The ranks that the lines cover: from `from` to before `to`. Entries that no longer live have a rank and no line. */
  from: number;
  to: number;
  /** Length of the whole list. */
  total: number;
  /** The key of the row that keys act on. null: none yet. */
  cursor: string | null;
  /**
   * A key has put the cursor where it is. Until then nobody looks at that row in particular: when newer ones push it
   * from the screen it is let go (no row is chosen), and the screen stays at the first ones.
   */
  taken: boolean;
  /** Index in `lines` of the first row on the screen. */
  first: number;
  jump: Jump | null;
}

/** What is on the screen. */
export interface Place {
  pane: PaneName;
  /** The filter of the sessions, as it was typed. */
  filter: string;
  /** The filter with which one came here: esc leads back to it before it leads away. */
  base: string;
  /** The session whose details are shown over the table. */
  details: Line<Session> | null;
}

/** How Redis answers. */
export type Link =
  | { state: 'connecting' }
  /** `took`: milliseconds of a round trip. */
  | { state: 'live' | 'slow'; took: number }
  /** `since`: milliseconds since 1970, local clock, of the last answer (or of the start, without one). */
  | { state: 'stale'; since: number; why: string; advice: string };

/** A walk that a filter or a sort needs. */
export interface Scan {
  /** The question that it answers: scan.ts, questionOf. */
  question: string;
  /** Entries looked at, and how many there are about. */
  scanned: number;
  listed: number;
  /** Sessions that match, also those beyond the rows that are kept. */
  matched: number;
  /** All of it was walked at least once: the rows are whole. */
  whole: boolean;
  /** It is being walked at the moment. */
  running: boolean;
}

/** What a walk says of the sessions that no living node owns. */
export interface Foreign {
  count: number;
  /** Their users who have no session of a node. */
  users: number;
  /** Beside them: sessions whose process is gone. */
  orphans: number;
  /** The first foreign ones by id. */
  lines: readonly Line<Session>[];
  /** The walk that counts them is not at its end for the first time. */
  partial: boolean;
}

/** What its node said of a session, and when (local clock). */
export interface Said {
  live: Live;
  at: number;
}

/** What was asked of the nodes. `denied`: Redis takes no requests of this user, so nobody can be asked. */
export interface Asked {
  said: ReadonlyMap<string, Said>;
  /** Nodes that live and did not answer. */
  silent: readonly string[];
  denied: boolean;
}

/** A walk that `A` asked for: all that match are to be marked. */
export interface Gathering {
  question: string;
  scanned: number;
  found: number;
}

/** One line that is told, until the next key press. */
export interface Note {
  text: string;
  tone: 'plain' | 'good' | 'bad';
}

/** What never changes while it runs. */
export interface Setting {
  /** Which Redis, for people: `10.0.0.5:6379`, or what is told of the embedded store. */
  where: string;
  prefix: string;
  readOnly: boolean;
}

export interface State {
  setting: Setting;
  /** Milliseconds since 1970, local clock, of the last thing that happened. Ages are counted up to it. */
  now: number;
  /** When Redis last answered; the start before that. */
  answeredAt: number;
  /** Redis's clock less the local one, milliseconds. */
  clockOffset: number;
  link: Link;
  /** Rows of a table that the screen has room for. */
  height: number;
  place: Place;
  /** Where esc leads back to; the last is the next. */
  trail: readonly Place[];
  sort: Sort;
  sessions: Table<Session>;
  users: Table<UserRow>;
  nodes: Table<NodeLoad>;
  /** Counts of the last frame; null before the first. */
  counts: { listed: number; own: number; users: number } | null;
  rates: Rates;
  scan: Scan | null;
  foreign: Foreign;
  asked: Asked;
  marks: ReadonlyMap<string, Session>;
  /** The last session marked one by one: a range begins there. */
  lastMark: string | null;
  gathering: Gathering | null;
  work: Work | null;
  /** What became of sessions that were acted on, and when, by id; shown in their rows. The last 10,000. */
  outcomes: ReadonlyMap<string, Tag>;
  dialog: Dialog | null;
  note: Note | null;
  quit: boolean;
}

export const emptyTable = <Item>(): Table<Item> => ({
  lines: [],
  from: 0,
  to: 0,
  total: 0,
  cursor: null,
  taken: false,
  first: 0,
  jump: null,
});

const NO_FOREIGN: Foreign = { count: 0, users: 0, orphans: 0, lines: [], partial: false };

/** The beginning, before Redis has said anything. */
export function initialState(setting: Setting, { now, filter = '' }: { now: number; filter?: string }): State {
  return {
    setting,
    now,
    answeredAt: now,
    clockOffset: 0,
    link: { state: 'connecting' },
    height: 10,
    place: { pane: 'sessions', filter, base: '', details: null },
    trail: [],
    sort: { by: 'connected', reversed: false },
    sessions: emptyTable(),
    users: emptyTable(),
    nodes: emptyTable(),
    counts: null,
    rates: emptyRates(),
    scan: null,
    foreign: NO_FOREIGN,
    asked: { said: new Map(), silent: [], denied: false },
    marks: new Map(),
    lastMark: null,
    gathering: null,
    work: null,
    outcomes: new Map(),
    dialog: null,
    note: null,
    quit: false,
  };
}
