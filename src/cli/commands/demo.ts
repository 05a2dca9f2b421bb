/** `wssess demo`: the server on a store of its own, and a crowd of real clients to look at. */
import { type Command, InvalidArgumentError, Command as Parser } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { read } from '../../common/settings.ts';
import { VERSION } from '../../common/version.ts';
import type { OwnStore, Stage } from '../../demo/stage.ts';
import { SCRIPTS } from '../../sessions/scripts.gen.ts';
import { stateFile } from '../find-store.ts';
import type { Io } from '../io.ts';
import { addSettings, type Flags } from '../options.ts';

const SESSIONS = 40;
const MOST_SESSIONS = 5000;
/** The same crowd each time, unless another is asked for. */
const SEED = 8;
const MOST_SEED = 2 ** 31 - 1;
/** The report is read in a log or a file, where no terminal has a width. */
const REPORT_SIZE = { columns: 140, rows: 50 };

export function define(command: Command): void {
  command
    .option(
      '--sessions <count>',
      `how many sessions, 1 to ${MOST_SESSIONS} (default ${SESSIONS})`,
      within(MOST_SESSIONS),
    )
    .option('--seed <number>', `another crowd for another number (default ${SEED})`, within(MOST_SEED));
  addSettings(command, 'stateFile', 'redisTimeout', 'prefix');
  command.addHelpText(
    'after',
    `
Clients come and go, talk, idle, and close their tabs without a word; users have
several devices. All of it is in this process, and ends with it: no Redis is
needed, and none is touched. On a terminal the dashboard shows it, until q or
Ctrl-C; else it prints a report and ends.

Exit code 0; 1: something was not as it must be, or the report was interrupted.

Example:
  wssess demo --sessions 200`,
  );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  const timeout = read('redisTimeout', flags, io.env);
  const prefix = read('prefix', flags, io.env);
  const file = stateFile(flags, io);
  return demo(flags, io, {
    // As in another terminal: it finds the store by the state file.
    env: { WSSESS_STATE_FILE: file, WSSESS_PREFIX: prefix },
    async open() {
      const { openEmbedded } = await import('../../store/embedded.ts');
      const options = { timeout, prefix, scripts: SCRIPTS, stateFile: file };
      const { store, address, close } = await openEmbedded(options).catch(adviseDemo);
      return { store, where: `${address}, embedded in this process`, close };
    },
  });
}

/** The demo uses no Redis, so that naming one helps nobody. */
function adviseDemo(error: unknown): never {
  if (!(error instanceof WssessError && error.code === 'store_taken')) throw error;
  const advice = 'Stop that one, or give the demo another --state-file.';
  throw new WssessError(error.code, error.message, { advice, cause: error });
}

/** The store of a demo, and how a command finds it. */
export interface StoreToOpen {
  env: Record<string, string>;
  open(): Promise<OwnStore>;
}

/** The demo on a store. @returns the exit code */
export async function demo(flags: Flags, io: Io, { env, open }: StoreToOpen): Promise<number> {
  const prefix = read('prefix', flags, io.env);
  const size = (flags.sessions as number | undefined) ?? SESSIONS;
  const seed = (flags.seed as number | undefined) ?? SEED;
  const over = new AbortController();
  io.onSignal(() => over.abort());
  const { onStage } = await import('../../demo/stage.ts');
  const options = { openStore: open, prefix, size, seed, over: over.signal };

  if (!io.terminal()) {
    const { report } = await import('../../demo/report.ts');
    const play = (stage: Stage) => report(stage, shellOf(io, env));
    await onStage({ ...options, log: io.err }, play).catch((error: unknown) => {
      if (!over.signal.aborted) throw error; // else it failed since nobody was there any more
    });
    if (over.signal.aborted) throw new WssessError('internal', 'the demo was interrupted', { advice: 'Run it again.' });
    await io.out(`\n${goOn()}`);
    return EXIT.ok;
  }

  // What the server says while the screen is the dashboard's is told afterwards.
  const notes: string[] = [];
  const { live } = await import('../../demo/live.ts');
  try {
    await onStage({ ...options, log: (text) => void notes.push(text) }, async (stage) => {
      await io.out(`wssess ${VERSION} demo on ${stage.ws}, store ${stage.where}\n`);
      await io.out(`${size.toLocaleString('en-US')} clients are connecting\n`);
      await live(stage, dashboard(io, env));
    });
  } finally {
    io.err(notes.join(''));
  }
  await io.out(goOn());
  return EXIT.ok;
}

/** The dashboard as another terminal would open it, until it is quit or over. */
function dashboard(io: Io, env: Record<string, string>) {
  return async (over: AbortSignal): Promise<void> => {
    const { run } = await import('./top.ts');
    const { WSSESS_REDIS_URL: _url, WSSESS_REDIS_FILE: _file, ...unnamed } = io.env;
    const onSignal: Io['onSignal'] = (stop) => {
      if (over.aborted) stop('SIGTERM');
      else over.addEventListener('abort', () => stop('SIGTERM'), { once: true });
    };
    await run([], {}, { ...io, env: { ...unnamed, ...env }, onSignal });
  };
}

function goOn(): string {
  return `All clients, the server and the store have ended. Go on:
  npx wssess demo       on a terminal: the dashboard on a crowd that comes and goes
  npx wssess serve      the server without a crowd; your STOMP clients connect to ws://127.0.0.1:28070/ws
  WSSESS_REDIS_URL=redis://host:6379 npx wssess ls      the sessions in a Redis of yours
  npx wssess --help
`;
}

/** Runs commands as another terminal would, and prints what they print. */
function shellOf(io: Io, env: Record<string, string>) {
  const { WSSESS_REDIS_URL: _url, WSSESS_REDIS_FILE: _file, ...unnamed } = io.env;
  const told = new Set<string>();
  const shown: Io = {
    ...io,
    tty: true,
    color: false,
    size: () => REPORT_SIZE,
    env: { ...unnamed, ...env },
    // In the order in which a terminal shows it; what store it is, is told once.
    err(text) {
      if (text.startsWith('embedded store') && told.has(text)) return;
      told.add(text);
      void io.out(text).catch(() => {}); // the next line that is waited for tells it
    },
  };
  return { out: io.out, wssess: (args: readonly string[]) => runCommand(args, shown) };
}

const COMMANDS = {
  ls: () => import('./ls.ts'),
  who: () => import('./who.ts'),
  kick: () => import('./kick.ts'),
  stats: () => import('./stats.ts'),
};

/** What the program does with a command line, without its end: an error is thrown. */
async function runCommand([name = '', ...args]: readonly string[], io: Io): Promise<number> {
  const module = await COMMANDS[name as keyof typeof COMMANDS]();
  const command = new Parser(name).exitOverride();
  module.define(command);
  let exit: number = EXIT.ok;
  command.action(async () => {
    exit = await module.run(command.args, command.opts(), io);
  });
  await command.parseAsync([...args], { from: 'user' });
  return exit;
}

/** For commander: a whole number from 1 on. */
const within = (most: number) => (value: string) => {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw new InvalidArgumentError(`It is a whole number from 1 to ${most.toLocaleString('en-US')}.`);
};
