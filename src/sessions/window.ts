/** A stretch of a sorted index: how it is asked for and what is found there. Pure. */
import type { Argument } from '../store/store.ts';

/** Rows and ids that a frame may be asked for. */
export const MOST_ROWS = 500;

/** A stretch of a sorted index. */
export interface Window {
  /** Rank of the first row, 0 is the newest (the oldest when `oldestFirst`). Beyond the end: the last full window. */
  top: number;
  /** At most 500. */
  rows: number;
  oldestFirst: boolean;
  /**
   * The member that must stay in sight: when `top` > 0 at the row of the window at which it stood; when `top` is 0 the
   * window stays at 0 as long as the member is within it. `score` (ms since 1970: connectedAt, newestAt) finds its place
   * when it is gone. `row` counts ranks: `ranks[i] - top` of the frame in which it was row i.
   */
  keep?: { id: string; score: number; row: number };
}

/** What a window found. */
export interface Found<T> {
  /** The ranks that were looked at: from this one … */
  top: number;
  /** … to before this one. Where many are dead that is more than was asked for, and still there may be few rows. */
  to: number;
  /** Entries of the index, dead ones too. */
  total: number;
  /** Rank of keep, null when it is gone or none was given. */
  keptAt: number | null;
  rows: T[];
  /** Rank of each row: entries that live no more lie between them and are left out. */
  ranks: number[];
}

/** True when a member of the index lies outside of what was looked at. */
export function isLost({ keptAt, top, to }: Found<unknown>): boolean {
  return keptAt !== null && (keptAt < top || keptAt >= to);
}

/** How frame.lua is told of a window. */
export function argumentsOf(window: Window | undefined): Argument[] {
  if (!window) return ['', 0, 0, '', '', 0];
  const { top, rows, oldestFirst, keep } = window;
  const order = oldestFirst ? 'oldest' : 'newest';
  const bounded = Math.min(Math.max(1, rows), MOST_ROWS);
  return [order, Math.max(0, top), bounded, keep?.id ?? '', keep?.score ?? '', keep?.row ?? 0];
}
