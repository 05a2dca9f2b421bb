/** `wssess drain`: empties a node before it is stopped. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { formatAge } from '../../common/time.ts';
import { MAX_REASON } from '../../sessions/control.ts';
import { askDrain, type Draining, findNode, watchDrain } from '../../sessions/drain.ts';
import type { Process } from '../../sessions/nodes.ts';
import { ensureWritable } from '../../sessions/schema.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Io } from '../io.ts';
import { addOutput, addStore, durationOption, type Flags, rateOption, withSessions } from '../options.ts';
import { isForPrograms, plural, print } from '../output/print.ts';

/** Sessions a second, where nothing is said. */
const RATE = 100;
/** Milliseconds that it waits, where nothing is said. */
const TIMEOUT = 600_000;
/** Milliseconds between two lines on how far it is. */
const TELL_EVERY = 5000;

export function define(command: Command): void {
  command.argument('<node>', 'the node, by its name');
  addStore(command);
  addOutput(command, ['table', 'json', 'jsonl', 'name']);
  command
    .option('--rate <count/s>', `sessions that are closed a second (default ${RATE}/s)`, rateOption)
    .option('--reason <text>', `told to the clients, at most ${MAX_REASON} bytes`)
    .option('--timeout <duration>', 'how long to wait for the end (default 10m)', durationOption)
    .option('--undo', 'let it take connections again; what was closed stays closed')
    .option('-y, --yes', 'do not ask before more than one session is closed')
    .addHelpText(
      'after',
      `
The node takes no new connections (503; /readyz says draining), closes its
sessions at the pace of --rate (cause shutdown, close code 1001) so that they
come back elsewhere, and stays up and idle until it is stopped. Draining it once
more gives what is left the new pace and reason.

Exit code 0: it has no session left; 1: no such node; 3: the wait ended before
that (--timeout, Ctrl-C, or another undid it), the node goes on by itself; 5: it
is dead, died meanwhile, or did not answer.

Examples:
  wssess drain chat-1 --rate 50/s --yes && kubectl delete pod chat-1
  wssess drain chat-1 --undo`,
    );
}

export async function run([name = '']: string[], flags: Flags, io: Io): Promise<number> {
  const reason = (flags.reason as string | undefined) || null;
  if (reason !== null && Buffer.byteLength(reason) > MAX_REASON) {
    throw new WssessError('usage', `--reason has ${Buffer.byteLength(reason)} bytes, at most ${MAX_REASON} are sent`, {
      advice: 'Shorten it.',
    });
  }
  return withSessions(flags, io, async (sessions) => {
    const found = await findNode(name, sessions);
    if (flags.undo) return undo(found.process, sessions, flags, io);
    if (!(await isWanted(name, found, flags, io))) return EXIT.no;
    return drain(found.process, reason, sessions, flags, io);
  });
}

async function undo(node: Process, sessions: Sessions, flags: Flags, io: Io): Promise<number> {
  await ensureWritable(sessions.store, sessions.keys);
  const told = await askDrain(node, sessions, { rate: null, reason: null, undo: true });
  if (told.stopping) {
    throw new WssessError('node_unreachable', `node ${node.name} is ending, which cannot be undone`, {
      advice: 'Start it again.',
    });
  }
  await tell(node, { state: 'open', closed: 0, sessions: told.sessions }, 'takes connections again', flags, io);
  return EXIT.ok;
}

/** Warns where nobody is left to take the clients, and asks before more than one is closed. */
async function isWanted(
  name: string,
  { sessions, others }: { sessions: number; others: number },
  flags: Flags,
  io: Io,
): Promise<boolean> {
  const node = visible(name);
  if (others === 0 && !isForPrograms(flags)) {
    io.err(`warning: no other node takes connections: who is closed can't come back until ${node} does\n`);
  }
  if (sessions <= 1 || flags.yes) return true;
  const what = `${plural(sessions, 'session')} of ${node}`;
  if (!io.canAsk()) {
    throw new WssessError('confirm_needed', `${what} would be closed`, { advice: 'Repeat with --yes.' });
  }
  const rate = rateOf(flags);
  io.err(`${what} will be closed, ${rate} a second: about ${formatAge(Math.max(1, sessions / rate) * 1000)}\n`);
  if (/^\s*y(es)?\s*$/i.test(await io.ask('Drain it? [y/N] '))) return true;
  io.err('nothing was done\n');
  return false;
}

const rateOf = (flags: Flags): number => (flags.rate as number | undefined) ?? RATE;

async function drain(node: Process, reason: string | null, sessions: Sessions, flags: Flags, io: Io): Promise<number> {
  await ensureWritable(sessions.store, sessions.keys);
  const began = performance.now();
  const waited = new AbortController();
  let isStopped = false;
  io.onSignal(() => {
    isStopped = true;
    waited.abort();
  });
  const { sessions: all } = await askDrain(node, sessions, { rate: rateOf(flags), reason, undo: false });
  const late = setTimeout(() => waited.abort(), (flags.timeout as number | undefined) ?? TIMEOUT);
  let last: Draining = { state: 'draining', sessions: all };
  let toldAt = began;
  try {
    for await (last of watchDrain(node, sessions, waited.signal)) {
      if (isForPrograms(flags) || last.state !== 'draining' || performance.now() - toldAt < TELL_EVERY) continue;
      toldAt = performance.now();
      io.err(`${visible(node.name)}: ${left(last.sessions)}\n`);
    }
  } finally {
    clearTimeout(late);
  }
  const took = performance.now() - began;
  if (last.state === 'drained' || last.state === 'ended') {
    const closed = `${plural(all, 'session')} closed in ${formatAge(took)}`;
    const what = last.state === 'drained' ? `is drained: ${closed}` : `has ended: ${closed}`;
    await tell(node, { state: last.state, closed: all, sessions: 0 }, what, flags, io);
    return EXIT.ok;
  }
  throw unfinished(node, last, isStopped, took);
}

const left = (count: number) => `${plural(count, 'session')} left`;

/** Why it isn't drained. */
function unfinished({ name }: Process, { state, sessions }: Draining, isStopped: boolean, took: number): WssessError {
  if (state === 'lost') return new WssessError('node_unreachable', `node ${name} died with ${left(sessions)}`);
  if (state === 'undone') {
    const advice = `Drain it anew: wssess drain ${name}`;
    return new WssessError('drain_unfinished', `node ${name} takes connections again: another undid it`, { advice });
  }
  const advice = `Wait on: wssess drain ${name}; or take it back: wssess drain ${name} --undo`;
  const goesOn = `node ${name} goes on draining, ${left(sessions)}`;
  return isStopped
    ? new WssessError('stopped', goesOn, { advice })
    : new WssessError('drain_unfinished', `${goesOn} after ${formatAge(took)}`, { advice });
}

interface Result {
  state: 'drained' | 'ended' | 'open';
  /** Sessions that it had when it was asked, and that are closed. */
  closed: number;
  sessions: number;
}

async function tell({ name }: Process, result: Result, what: string, flags: Flags, io: Io): Promise<void> {
  const json = { node: name, ...result };
  if (!isForPrograms(flags)) return io.out(`${visible(name)} ${what}\n`);
  await print(io, flags, { json, rows: [json], columns: [], name: ({ node }) => node });
}
