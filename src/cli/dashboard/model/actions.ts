/** All that can happen: what keys ask for, and what the effects bring. */
import type { Session } from '../../../sessions/model.ts';
import type { Frame, Asks as FrameAsks } from '../../../sessions/overview.ts';
import type { ActOutcome, Line, PaneName, Said, SortName } from './state.ts';

/**
 * What a key can ask for. The keymap makes these, and nothing else. Which of them mean something depends on where one
 * is (selectors, modeOf); one that means nothing there changes nothing.
 */
export type Intent =
  /** Tables and lists: ↑ ↓ j k; PgUp PgDn; g G home end. */
  | { type: 'move'; by: number }
  | { type: 'page'; by: 1 | -1 }
  | { type: 'edge'; to: 'first' | 'last' }
  /** Enter on a row: details of a session, sessions of a user or a node. */
  | { type: 'open' }
  /** Esc: closes what is over the table, else undoes the filter, else goes back. */
  | { type: 'back' }
  | { type: 'go'; to: PaneName }
  | { type: 'help' }
  | { type: 'quit' }
  /** `/` and `:` open a line at the bottom. `/` is always about sessions, and leads there. */
  | { type: 'prompt'; kind: 'filter' | 'jump' }
  /** Marks the row under the cursor, or takes the mark away, and goes one down. */
  | { type: 'mark' }
  /** Marks from the last mark to the cursor. */
  | { type: 'markRange' }
  /** Marks all that match. */
  | { type: 'markAll' }
  | { type: 'unmarkAll' }
  /** The next sort, or this one. */
  | { type: 'sort'; by?: SortName }
  | { type: 'reverse' }
  /** On the marked sessions, or on the one under the cursor. Kick asks first; refresh asks first when it is more than one. */
  | { type: 'kick' }
  | { type: 'refresh' }
  /** Ends what is being done before its next page, or a walk for `markAll`. */
  | { type: 'stop' }
  /** The list of what became of each. */
  | { type: 'outcomes' }
  /** Typing: in the filter, the jump, and the reason of a confirm. In a confirm, text goes to the reason wherever the focus is. */
  | { type: 'text'; text: string }
  | { type: 'erase'; what: 'back' | 'forward' | 'word' | 'line' }
  | { type: 'caret'; to: 'left' | 'right' | 'start' | 'end' }
  /** Tab in the jump line. */
  | { type: 'complete' }
  /** Tab, shift-tab, and the arrows, in a confirm: reason, No, Yes. */
  | { type: 'focus'; by: 1 | -1 }
  /** Enter in a dialog. In a confirm: on the reason it goes on to No; on No it closes; on Yes it acts. */
  | { type: 'accept' };

/** What a frame was asked for. */
export interface Asks extends FrameAsks {
  /** Which list the rows are of: an answer for another one is too late. */
  view: string;
}

/** What the effects bring. `at` is the local clock, milliseconds since 1970. */
export type News =
  /** The screen has room for so many rows of a table. */
  | { type: 'size'; height: number }
  | { type: 'frame'; at: number; asks: Asks; frame: Frame }
  | { type: 'fault'; at: number; why: string; advice: string }
  /** Nothing new, but time has passed. */
  | { type: 'tick'; at: number }
  | {
      type: 'scan';
      at: number;
      question: string;
      scanned: number;
      listed: number;
      matched: number;
      running: boolean;
      /** This walk came to its end. */
      ended: boolean;
      /** The best so far, in order; null: those at hand stay. */
      lines: readonly Line<Session>[] | null;
      /** What the nodes said meanwhile, when the order needs it. */
      said: ReadonlyMap<string, Said>;
    }
  | {
      type: 'survey';
      at: number;
      foreign: number;
      users: number;
      orphans: number;
      sample: readonly Session[];
      ended: boolean;
    }
  | { type: 'said'; at: number; said: ReadonlyMap<string, Said>; silent: readonly string[]; denied: boolean }
  | { type: 'gathering'; question: string; scanned: number; found: number }
  /** `null`: more than can be marked. */
  | { type: 'gathered'; question: string; sessions: readonly Session[] | null }
  | { type: 'progress'; serial: number; actionId: string; outcomes: ReadonlyMap<string, ActOutcome> }
  | { type: 'worked'; serial: number; fault: string | null }
  | { type: 'note'; text: string; tone: 'plain' | 'good' | 'bad' };

export type Action = Intent | News;
