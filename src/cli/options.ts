/** Options that several commands share, and what they mean once read. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { WssessError } from '../common/errors.ts';
import { read, SETTINGS, type SettingName } from '../common/settings.ts';
import { parseDuration } from '../common/time.ts';
import type { Selection } from '../sessions/selection.ts';
import { openSessions, type Sessions } from '../sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import { findStore, nameOf, whyNot } from './find-store.ts';
import type { Io } from './io.ts';
import { FORMATS, type Format } from './output/format.ts';

export type Flags = Record<string, unknown>;

/** Adds settings of the table as options. They are read by `read`, so that a variable or default steps in. */
export function addSettings(command: Command, ...names: SettingName[]): void {
  for (const name of names) {
    const { flag, help, variable, default: fallback } = SETTINGS[name];
    if (flag === '') continue; // a secret: its variable alone
    command.option(flag, `${help} (${fallback ? `default ${fallback}; ` : ''}${variable})`);
  }
}

/** Adds what every command that speaks to Redis takes. */
export function addStore(command: Command): void {
  addSettings(command, 'redis', 'redisFile', 'redisCa', 'redisCert', 'redisKey', 'stateFile', 'redisTimeout', 'prefix');
}

/** Adds -o and --no-headers. */
export function addOutput(command: Command, formats: readonly Format[] = FORMATS): void {
  command
    .option('-o, --output <format>', `${formats.join(', ')}`, (value: string) => {
      if (!formats.includes(value as Format)) throw new InvalidArgumentError(`Choose one of ${formats.join(', ')}.`);
      return value;
    })
    .option('--no-headers', 'no line with the names of the columns')
    .option('-q, --quiet', 'print nothing but errors: the exit code tells');
}

export function formatOf(flags: Flags): Format {
  return (flags.output as Format | undefined) ?? 'table';
}

/** For commander: one more value; an empty one is a variable of the shell that isn't set, and would mean "without". */
const collect = (value: string, earlier: string[] = []) => {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return [...earlier, value];
};

/** Adds --user --role --node --except, each of which may be repeated. */
export function addSelection(command: Command): void {
  command
    .option('--user <user>', 'sessions of this user; may be repeated', collect)
    .option('--role <role>', 'sessions of this role; may be repeated', collect)
    .option('--node <node>', 'sessions on this node; may be repeated', collect)
    .option('--except <session>', 'not this session; may be repeated', collect);
}

/**
 * The selection of a command line; ids from standard input for the argument `-`, one a line.
 * @throws WssessError `usage` for a list of ids that is empty
 */
export async function selectionOf(args: readonly string[], flags: Flags, io: Io): Promise<Selection> {
  const ids: string[] = [];
  for (const arg of args) ids.push(...(arg === '-' ? await readIds(io) : [arg]));
  if (args.length > 0 && ids.length === 0) {
    throw new WssessError('usage', 'standard input names no session', { advice: 'Give one id a line.' });
  }
  return {
    ids: args.length > 0 ? ids : undefined,
    users: flags.user as string[] | undefined,
    roles: flags.role as string[] | undefined,
    nodes: flags.node as string[] | undefined,
    except: flags.except as string[] | undefined,
  };
}

async function readIds(io: Io): Promise<string[]> {
  let text = '';
  for await (const chunk of io.stdin.setEncoding('utf8')) text += chunk;
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, '')) // nothing else: a foreign id may begin or end with a space
    .filter((line) => line.trim() !== '');
}

/** For commander: a duration in milliseconds. */
export function durationOption(value: string): number {
  const duration = parseDuration(value);
  if (duration === undefined || duration <= 0) throw new InvalidArgumentError('Write it like 2s, 15m, 24h or 7d.');
  return duration;
}

/** --interval, which without --watch means --watch. */
export function intervalOption(unsaid: string): Option {
  return new Option('--interval <duration>', `with --watch: how often (default ${unsaid})`)
    .argParser(durationOption)
    .implies({ watch: true });
}

/** For commander: a whole number above 0. */
export function countOption(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It is a whole number above 0.');
  return Number(value);
}

/** For commander: `50/s`, or `50`; so many a second. */
export function rateOption(value: string): number {
  const count = /^([1-9]\d{0,5})(\/s)?$/.exec(value)?.[1];
  if (count === undefined) throw new InvalidArgumentError('Write it like 50/s.');
  return Number(count);
}

interface Lasting {
  /** Connects again when Redis was away, and leaves it to `work` to say which store it is. */
  lasting?: boolean;
}

/** Connects to the store that is named or found, and closes it when the work is over. */
export async function withSessions<T>(
  flags: Flags,
  io: Io,
  work: (sessions: Sessions) => Promise<T>,
  { lasting = false }: Lasting = {},
): Promise<T> {
  const { prefix, embedded, again, ...address } = findStore(flags, io);
  const timeout = read('redisTimeout', flags, io.env);
  const { connect } = await import('../store/connect.ts');
  let store: Store | undefined;
  try {
    store = await connect({ ...address, prefix, timeout, lasting, again: lasting ? again : undefined });
    if (embedded) await store.call('PING'); // before it is named as the one that was found
    // Not where standard error is read by a program, which finds an error's JSON there and nothing else.
    if (embedded && !lasting && !flags.quiet && !['json', 'jsonl'].includes(formatOf(flags)))
      io.err(`${nameOf(embedded)}\n`);
    return await work(openSessions(store, prefix));
  } catch (fault) {
    throw embedded ? await whyNot(fault, embedded, address.source) : fault;
  } finally {
    store?.close();
  }
}
