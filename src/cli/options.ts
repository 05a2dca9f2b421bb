/** Options that several commands share, and what they mean once read. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { WssessError } from '../common/errors.ts';
import { read, SETTINGS, type SettingName } from '../common/settings.ts';
import { parseDuration } from '../common/time.ts';
import { NO_NODE, NO_ROLE, type Selection } from '../sessions/selection.ts';
import { openSessions, type Sessions } from '../sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import { findStore, nameOf, whyNot } from './find-store.ts';
import { HEADING } from './help.ts';
import type { Io } from './io.ts';
import { FORMATS, type Format } from './output/format.ts';

export type Flags = Record<string, unknown>;

/** What the options of a setting stand below in the help, by the first word of its key. */
const HEADINGS: Record<string, string | undefined> = {
  redis: HEADING.connection,
  store: HEADING.connection,
  stomp: 'STOMP:',
  jwt: 'Tokens of clients (JWT):',
  rest: 'REST:',
};

/** Adds settings of the table as options. They are read by `read`, so that a variable or default steps in. */
export function addSettings(command: Command, ...names: SettingName[]): void {
  for (const name of names) {
    const { flag, help, variable, key, default: fallback } = SETTINGS[name];
    if (flag === '') continue; // a secret: its variable alone
    const option = new Option(flag, `${help} (${fallback ? `default ${fallback}; ` : ''}${variable})`);
    const heading = HEADINGS[key.split('.')[0]!];
    command.addOption(heading ? option.helpGroup(heading) : option);
  }
}

/** Adds what every command that speaks to Redis takes. */
export function addStore(command: Command): void {
  addSettings(command, 'redis', 'redisFile', 'redisCa', 'redisCert', 'redisKey', 'stateFile', 'redisTimeout', 'prefix');
}

/** Adds -o and --no-headers. */
export function addOutput(command: Command, formats: readonly Format[] = FORMATS): void {
  const format = (value: string) => {
    if (!formats.includes(value as Format)) throw new InvalidArgumentError(`Choose one of ${formats.join(', ')}.`);
    return value;
  };
  for (const option of [
    new Option('-o, --output <format>', formats.join(', ')).argParser(format),
    new Option('--no-headers', 'rows alone: no names of columns, no sentence before them'),
    new Option('-q, --quiet', 'print nothing but errors: the exit code tells'),
  ]) {
    command.addOption(option.helpGroup(HEADING.output));
  }
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
  for (const [flags, help] of [
    ['--user <user>', 'sessions of this user'],
    ['--role <role>', `sessions of this role; '${NO_ROLE}': of none`],
    ['--node <node>', `sessions on this node; '${NO_NODE}': on none, another program has their sockets`],
    ['--except <session>', 'not this session'],
  ] as const) {
    command.addOption(new Option(flags, help).argParser(collect).helpGroup(HEADING.selection));
  }
  command.addHelpText('after', SELECTING);
}

const SELECTING = `
Each of --user, --role, --node and --except may be repeated: --user kim --user
lee are the sessions of both. Different ones, and ids, narrow each other down:
--user kim --node chat-1 are kim's sessions on chat-1, and an id that is not
among those is left out.`;

/**
 * The selection of a command line; ids from standard input for the argument `-`, one a line.
 * @throws WssessError `usage` for a list of ids that is empty
 */
export async function selectionOf(args: readonly string[], flags: Flags, io: Io): Promise<Selection> {
  const ids: string[] = [];
  if (args.includes('')) throw emptyArgument('session');
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
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\r$/, '')) // nothing else: a foreign id may begin or end with a space
    .filter((line) => line.trim() !== '');
  const what = lines.some((line) => line.includes('\t')) ? 'a table' : JSON_BEGINS.test(lines[0] ?? '') ? 'JSON' : '';
  if (what === '') return lines;
  throw new WssessError('usage', `standard input is ${what}, not a list of ids`, {
    advice: 'Give one id a line, as they are printed by: wssess ls -o name',
  });
}

/** What -o json and jsonl begin with. An id has no colon. */
const JSON_BEGINS = /^(?:[{[]$|\{".*:)/;

/** @param what it stands for: `user`, `session` */
export function emptyArgument(what: string): WssessError {
  return new WssessError('usage', `a ${what} is named that is empty`, {
    advice: 'Name one; is a variable of the shell not set?',
  });
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
