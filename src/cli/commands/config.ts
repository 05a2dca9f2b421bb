/** `wssess config`: the settings, and where each came from; and the store that commands would use. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { maskUrl, refusePassword } from '../../common/redis-address.ts';
import { read, resolve, SETTINGS, type SettingName } from '../../common/settings.ts';
import { isAlive } from '../../store/alive.ts';
import { type Found, findStore, nameOf, stateFile } from '../find-store.ts';
import type { Io } from '../io.ts';
import { nearest } from '../nearest.ts';
import { addOutput, addSettings, type Flags } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { print } from '../output/print.ts';

export function define(command: Command): void {
  addSettings(command, ...(Object.keys(SETTINGS) as SettingName[]));
  addOutput(command);
  command.addHelpText(
    'after',
    `
The last line, store, is what commands would speak to: the Redis that is named,
else the embedded store of a running serve, found by its state file, else none.

Exit code 0; 2: a setting holds what it can't be, which its line tells.

Examples:
  wssess config
  wssess config -o json | jq -r '.settings[] | select(.source != "default")'`,
  );
}

interface Line {
  key: string;
  value: string | null;
  source: string;
  /** What is wrong with it; only there when something is. */
  error?: string;
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  refusePassword(flags);
  const found = look(flags, io);
  const faults: WssessError[] = [];
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name): Line => {
    const fault = faultOf(() => read(name, flags, io.env));
    if (fault) faults.push(fault);
    return {
      key: SETTINGS[name].key,
      ...settingOf(name, flags, io, found),
      ...(fault && { error: fault.message }),
    };
  });
  rows.push({ key: 'store', ...(await storeOf(found)) });
  await print(io, flags, { json: { settings: rows }, rows, columns: COLUMNS, name: ({ key }) => key });
  for (const line of strangers(io.env)) io.err(`warning: ${line}\n`);
  const [first, ...others] = faults;
  if (!first) return EXIT.ok;
  if (others.length === 0) throw first;
  const wrong = faults.map(({ message }) => message.split(':')[0]).join(', ');
  throw new WssessError('usage', `${faults.length} settings hold what they can't be: ${wrong}`, {
    advice: first.advice,
  });
}

/** As a command reads it; what is wrong is told in its line, so that the others are seen as well. */
function faultOf(act: () => unknown): WssessError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof WssessError) return error;
    throw error;
  }
}

/** A line for each variable that is called like a setting, and is none. */
function strangers(env: NodeJS.ProcessEnv): string[] {
  const known = Object.values(SETTINGS).map(({ variable }) => variable as string);
  const strange = Object.keys(env).filter((name) => /^WSSESS_(?!TEST_)/i.test(name) && !known.includes(name));
  return strange.map((name) => {
    const near = nearest(name.toUpperCase(), known);
    return `${visible(name)} is no setting${near ? `. Did you mean ${near}?` : ': see docs/settings.md'}`;
  });
}

function settingOf(name: SettingName, flags: Flags, io: Io, found: Found | WssessError): Omit<Line, 'key'> {
  const { text, source } = resolve(name, flags, io.env);
  if (name === 'stateFile' && text === undefined) return { value: stateFile(flags, io), source: 'default' };
  const isEmbedded = !(found instanceof WssessError) && found.embedded !== undefined;
  // Other commands take that of the embedded store, too.
  if (name === 'prefix' && isEmbedded && source === 'default') return { value: found.prefix, source: found.source };
  if (text !== undefined && SETTINGS[name].type === 'secret') return { value: '****', source };
  return { value: text === undefined ? null : maskUrl(text), source };
}

/** As a command looks for its store; why there is none is told here, not raised: that is what one wants to find out. */
function look(flags: Flags, io: Io): Found | WssessError {
  try {
    return findStore(flags, io);
  } catch (error) {
    if (error instanceof WssessError) return error;
    throw error;
  }
}

async function storeOf(found: Found | WssessError): Promise<Omit<Line, 'key'>> {
  if (found instanceof WssessError) return { value: `none: ${found.message}`, source: 'not set' };
  const { url, source, embedded } = found;
  if (!embedded) return { value: `Redis ${maskUrl(url)}`, source };
  if (await isAlive(embedded)) return { value: nameOf(embedded), source };
  return { value: `none: the embedded store of process ${embedded.pid} is gone, its state file is stale`, source };
}

const COLUMNS: Column<Line>[] = [
  { name: 'KEY', value: ({ key }) => key },
  {
    name: 'VALUE',
    value: ({ value, error }) => error?.slice(error.indexOf(': ') + 2) ?? value ?? '',
    shrink: true,
    style: ({ error }) => (error === undefined ? undefined : 'red'),
  },
  { name: 'SOURCE', value: ({ source }) => source, style: ({ source }) => (source === 'default' ? 'dim' : undefined) },
];
