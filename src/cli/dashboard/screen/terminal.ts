/**
 * The terminal while the dashboard has it: a screen of its own, and given back whatever ends it (the end, a signal, a
 * crash), also for the time that the process is stopped with Ctrl-Z.
 */
import type { ReadStream, WriteStream } from 'node:tty';

// Alternate screen, no cursor, no line wrap, pasted text in brackets; and the other way round.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h';
const LEAVE = '\x1b[?2004l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l';

export interface Streams {
  stdin: ReadStream;
  stdout: WriteStream;
}

export interface Guest {
  /** The terminal is given back: nothing may be drawn any more, not even a farewell. */
  left(): void;
  /** The process goes on after it was stopped: all must be drawn anew. */
  again(): void;
}

export interface Held {
  /** Gives it back; once. */
  leave(): void;
  /** As Ctrl-Z does everywhere: the terminal is given back, and the shell has it until `fg`. */
  stop(): void;
}

/** Takes the terminal for a guest. */
export function hold({ stdin, stdout }: Streams, guest: Guest): Held {
  let held = true;
  const leave = () => {
    if (!held) return;
    held = false;
    guest.left();
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write(LEAVE);
  };
  const enter = () => {
    if (stdin.isTTY) stdin.setRawMode(true);
    stdout.write(ENTER);
    held = true;
  };
  const stop = () => {
    leave();
    // The whole group, as the terminal does it: npx and the like stop with us, and the shell notices.
    process.kill(0, 'SIGSTOP');
  };
  const resumed = () => {
    if (held) leave(); // stopped from outside, without a word: the shell has written over it
    enter();
    guest.again();
  };
  process.on('exit', leave);
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', resumed);
  enter();
  return {
    leave() {
      process.off('exit', leave);
      process.off('SIGTSTP', stop);
      process.off('SIGCONT', resumed);
      leave();
    },
    stop,
  };
}
