/** What can stand over the table. Types. */
import type { Session } from '../../../sessions/model.ts';

export type ActName = 'kick' | 'refresh';

/** A line of text being typed. `caret` counts UTF-16 units, and stands between characters. */
export interface Input {
  text: string;
  caret: number;
}

/** What stands over the table and takes the keys. */
export type Dialog =
  /** The line at the bottom. `filter` shows its result while it is typed; `before` comes back at esc. */
  | { kind: 'filter'; input: Input; before: string; fault: string | null }
  | { kind: 'jump'; input: Input; fault: string | null }
  /** Asks before acting. The targets are what they were when it opened, whatever moves below. `reason` is null for refresh. */
  | {
      kind: 'confirm';
      act: ActName;
      targets: readonly Session[];
      reason: Input | null;
      focus: ConfirmFocus;
      fault: string | null;
      /** Targets that have ended since it opened. */
      ended: ReadonlySet<string>;
    }
  /** The progress of `work`, with a stop. It stays until it is done, then until a key is pressed. */
  | { kind: 'progress' }
  /** What became of each target of `work`. `first` row on the screen. */
  | { kind: 'outcomes'; first: number }
  | { kind: 'help'; first: number };

export type ConfirmFocus = 'no' | 'yes' | 'reason';
