/** `wssess config`: the settings, and where each came from; and the store that commands would use. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { maskUrl, refusePassword } from '../../common/redis-address.ts';
import { read, resolve, SETTINGS, type SettingName } from '../../common/settings.ts';
import { isAlive } from '../../store/alive.ts';
import { type Found, findStore, nameOf, stateFile } from '../find-store.ts';
import type { Io } from '../io.ts';
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
else the embedded store of a running serve, found by its state file, else none.`,
  );
}

interface Line {
  key: string;
  value: string | null;
  source: string;
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  refusePassword(flags);
  const found = look(flags, io);
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name): Line => {
    read(name, flags, io.env); // what can't be read is an error here as anywhere
    return { key: SETTINGS[name].key, ...settingOf(name, flags, io, found) };
  });
  rows.push({ key: 'store', ...(await storeOf(found)) });
  await print(io, flags, { json: { settings: rows }, rows, columns: COLUMNS, name: ({ key }) => key });
  return EXIT.ok;
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
  { name: 'VALUE', value: ({ value }) => value ?? '', shrink: true },
  { name: 'SOURCE', value: ({ source }) => source, style: ({ source }) => (source === 'default' ? 'dim' : undefined) },
];
