/** `wssess top`: the dashboard. Its code, Ink and all, is loaded when there is a terminal to draw on. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { read } from '../../common/settings.ts';
import { defaultStateFile } from '../../store/state-file.ts';
import { parseFilter } from '../dashboard/model/filter.ts';
import { findStore } from '../find-store.ts';
import type { Io } from '../io.ts';
import { addStore, type Flags, withSessions } from '../options.ts';

export function define(command: Command): void {
  addStore(command);
  command
    .option('--filter <text>', 'begin with this filter, as it is typed after /')
    .option('--read-only', 'look, and change nothing: no mark, no kick, no refresh')
    .addHelpText(
      'after',
      `
Keys: ? shows them all, / filters, q quits. docs/top.md has them too.
It needs a terminal of 80x24 or more; where there is none: wssess stats --watch

Examples:
  wssess top
  wssess top --filter 'role:AGENT node:chat-2' --read-only`,
    );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  const filter = (flags.filter as string | undefined) ?? '';
  const parsed = parseFilter(filter);
  if (typeof parsed === 'string') {
    throw new WssessError('usage', `--filter ${visible(filter)}: ${visible(parsed)}`, {
      advice: "As after / in the dashboard: words, user: role: node: ip:, as in --filter 'role:AGENT kim'",
    });
  }
  const terminal = io.terminal();
  if (!terminal) {
    throw new WssessError('usage', 'top needs a terminal to draw on', {
      advice: 'Without one there is: wssess stats --watch',
    });
  }
  const { embedded, prefix, source } = findStore(flags, io);
  const over = new AbortController();
  await withSessions(
    flags,
    io,
    async (sessions) => {
      io.onSignal(() => over.abort());
      const { openDashboard } = await import('../dashboard/dashboard.tsx');
      await openDashboard({
        ...terminal,
        sessions,
        foreignTtl: read('ttl', flags, io.env),
        setting: {
          where: embedded ? nameOf(source, io) : `redis ${sessions.store.where}`,
          prefix,
          readOnly: flags.readOnly === true,
        },
        filter,
        colour: io.color,
        over: over.signal,
      });
    },
    { lasting: true },
  );
  return EXIT.ok;
}

/** The embedded store by its state file: its port is another one with each serve. */
function nameOf(file: string, { env }: Io): string {
  return file === defaultStateFile(env) ? 'embedded store' : `embedded store ${file}`;
}
