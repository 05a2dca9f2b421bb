/** The commander tree. Only the command that runs has its code loaded, options and all. */
import { Command, CommanderError } from 'commander';
import { asWssessError, EXIT, lineOf, WssessError } from '../common/errors.ts';
import { safeJson, visible } from '../common/escape.ts';
import { VERSION } from '../common/version.ts';
import { addCommon, orderHelp } from './help.ts';
import type { Io } from './io.ts';
import { flagOf, misplaced } from './misplaced.ts';

/** What a file in commands/ exports: its options and help, and what runs them. */
export interface CommandModule {
  /** Adds arguments, options and help. */
  define(command: Command): void;
  /** @returns the exit code */
  run(args: string[], flags: Record<string, unknown>, io: Io): Promise<number>;
}

export interface Entry {
  name: string;
  alias?: string;
  summary: string;
  load(): Promise<CommandModule>;
}

const COMMANDS: readonly Entry[] = [
  { name: 'serve', summary: 'run the session server', load: () => import('./commands/serve.ts') },
  {
    name: 'demo',
    summary: 'run the server with a crowd of simulated clients',
    load: () => import('./commands/demo.ts'),
  },
  { name: 'ls', alias: 'list', summary: 'list sessions', load: () => import('./commands/ls.ts') },
  { name: 'who', summary: 'say whether users are online, and where', load: () => import('./commands/who.ts') },
  { name: 'show', alias: 'describe', summary: 'show all about one session', load: () => import('./commands/show.ts') },
  { name: 'kick', alias: 'disconnect', summary: 'throw sessions out', load: () => import('./commands/kick.ts') },
  { name: 'refresh', summary: 'set the TTL of sessions anew', load: () => import('./commands/refresh.ts') },
  {
    name: 'stats',
    alias: 'count',
    summary: 'count sessions by node and role',
    load: () => import('./commands/stats.ts'),
  },
  {
    name: 'top',
    alias: 'dashboard',
    summary: 'watch all sessions and act on them, live',
    load: () => import('./commands/top.ts'),
  },
  { name: 'nodes', summary: 'list the servers', load: () => import('./commands/nodes.ts') },
  { name: 'drain', summary: 'empty a server before it is stopped', load: () => import('./commands/drain.ts') },
  { name: 'doctor', summary: 'find what is wrong in Redis, and mend it', load: () => import('./commands/doctor.ts') },
  { name: 'config', summary: 'show the settings and where each came from', load: () => import('./commands/config.ts') },
];

/**
 * Runs a command line.
 * @param argv without node and script
 * @returns the exit code; errors are printed
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exit: number = EXIT.ok;
  let helped = Promise.resolve();
  const writeOut = (text: string) => {
    helped = io.out(text);
    helped.catch(() => {}); // it is looked at when commander is done
  };
  const program = new Command('wssess')
    .description('Who is online, and can you throw that one out, now?')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option('--verbose', 'print the stack of an error')
    .exitOverride()
    .configureOutput({ writeOut, writeErr: () => {} })
    .addHelpText('after', HELP);
  orderHelp(program);

  const wanted = argv.filter((arg) => !arg.startsWith('-'));
  const name = wanted[0] === 'help' ? wanted[1] : wanted[0];
  try {
    for (const entry of COMMANDS) {
      const command = program.command(entry.name);
      addCommon(command, entry.summary);
      if (entry.alias) command.alias(entry.alias);
      if (name !== entry.name && name !== entry.alias) continue;
      const module = await entry.load();
      module.define(command);
      command.action(async () => {
        const flags = command.opts();
        exit = await module.run(command.args, flags, flags.quiet ? { ...io, out: async () => {}, err: () => {} } : io);
      });
    }
    if (argv.length === 0) program.help();
    await program.parseAsync(argv, { from: 'user' });
    return exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(asWssessError(error), argv, io);
    if (error.exitCode !== 0) return report(await usage(error, argv, name), argv, io);
    return helped.then(
      () => EXIT.ok,
      (fault) => report(asWssessError(fault), argv, io),
    );
  }
}

/** commander's complaint, as one line of ours. */
async function usage(
  { code, message }: CommanderError,
  argv: readonly string[],
  name: string | undefined,
): Promise<WssessError> {
  // It would print the help to standard error, and says nothing.
  if (code === 'commander.help')
    return new WssessError('usage', name ? `unknown command '${name}'` : 'no command is named');
  let [what = '', ...hints] = message.replace(/^error: /, '').split('\n');
  if (code === 'commander.unknownOption') {
    const said = argv.find((arg) => what === `unknown option '${arg}'`) ?? '';
    const found = await misplaced(said, argv, COMMANDS);
    if (found) return found;
    if (said.startsWith('--')) what = `unknown option '${flagOf(said)}'`;
  }
  const hint = hints.join(' ').trim();
  return new WssessError('usage', what.replace(/\.$/, ''), {
    advice: hint ? `${hint.replace(/[()]/g, '')}` : 'See --help.',
  });
}

/** One line: what, why, what to do; the published JSON where JSON was asked for. */
function report(error: WssessError, argv: readonly string[], io: Io): number {
  const text = argv.join('\0');
  if (/(^|\0)(-o\0?|--output[\0=])jsonl?(\0|$)/.test(text)) io.err(`${safeJson(error)}\n`);
  else io.err(`error: ${visible(lineOf(error))}\n`);
  if (/(^|\0)--verbose(\0|$)/.test(text)) io.err(`${(error.cause as Error | undefined)?.stack ?? error.stack}\n`);
  return error.exit;
}

const HELP = `
Name the Redis with WSSESS_REDIS_URL, or behind a command with --redis or
--redis-file. Without one, serve keeps the sessions in an embedded store, which
the other commands on this machine find by themselves. wssess config tells which
store they use.

Exit codes: 0 ok, 1 no (offline, not found, failed), 2 usage, 3 partial, 4 not
allowed, 5 Redis or a node unreachable.

Examples:
  wssess serve --redis redis://127.0.0.1:6379
  wssess who cust01 && echo online
  wssess kick --user cust01 --reason "password changed"`;
