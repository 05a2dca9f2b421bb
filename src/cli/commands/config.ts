/** `wssess config`: the settings, and where each came from. */
import type { Command } from 'commander';
import { EXIT } from '../../common/errors.ts';
import { maskUrl, refusePassword } from '../../common/redis-address.ts';
import { read, resolve, SETTINGS, type SettingName } from '../../common/settings.ts';
import type { Io } from '../io.ts';
import { addOutput, addSettings, type Flags } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { print } from '../output/print.ts';

export function define(command: Command): void {
  addSettings(command, ...(Object.keys(SETTINGS) as SettingName[]));
  addOutput(command);
}

interface Line {
  key: string;
  value: string | null;
  source: string;
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  refusePassword(flags);
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name): Line => {
    const { text, source } = resolve(name, flags, io.env);
    read(name, flags, io.env); // what can't be read is an error here as anywhere
    return { key: SETTINGS[name].key, value: text === undefined ? null : maskUrl(text), source };
  });
  await print(io, flags, { json: { settings: rows }, rows, columns: COLUMNS, name: ({ key }) => key });
  return EXIT.ok;
}

const COLUMNS: Column<Line>[] = [
  { name: 'KEY', value: ({ key }) => key },
  { name: 'VALUE', value: ({ value }) => value ?? '', shrink: true },
  { name: 'SOURCE', value: ({ source }) => source, style: ({ source }) => (source === 'default' ? 'dim' : undefined) },
];
