/** Frames: the same thing drawn again and again, for --watch. */
import type { Io } from '../io.ts';
import { repeat } from './repeat.ts';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/**
 * Draws a frame every `interval` ms until a signal. `onScreen` draws each over the last one, on a screen of the terminal
 * that leaves no trace; else they come one after the other, with `between` between them.
 */
export async function watch(
  io: Io,
  { interval, between, onScreen }: { interval: number; between: string; onScreen: boolean },
  frame: () => Promise<string>,
): Promise<void> {
  let first = true;
  if (onScreen) await io.out(ENTER);
  try {
    await repeat(io, interval, async () => {
      const text = await frame();
      await io.out(onScreen ? fitted(text, io.size().rows) : `${first ? '' : between}${text}`);
      first = false;
    });
  } finally {
    if (onScreen) await io.out(LEAVE);
  }
}

/** As many lines as fit; what doesn't is counted. */
function fitted(text: string, rows: number): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const shown = lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more`];
  return `${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`;
}
