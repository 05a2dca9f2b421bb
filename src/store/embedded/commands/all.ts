/** The tables of all commands, as one. */
import type { Command, Rows } from './command.ts';
import { connection } from './connection.ts';
import { expiry } from './expiry.ts';
import { keys } from './keys.ts';
import { lists } from './lists.ts';
import { pubsub } from './pubsub.ts';
import { scans } from './scan.ts';
import { scripting } from './scripting.ts';
import { server } from './server.ts';
import { sets } from './sets.ts';
import { sortedSets } from './sorted-sets.ts';
import { strings } from './strings.ts';
import { transactions } from './transactions.ts';

const tables: readonly Rows[] = [
  connection,
  server,
  keys,
  expiry,
  scans,
  strings,
  sets,
  sortedSets,
  lists,
  pubsub,
  transactions,
  scripting,
];

export const commands: ReadonlyMap<string, Command> = new Map(
  tables.flatMap((rows) =>
    Object.entries(rows).map(([name, [arity, flags, handler]]): [string, Command] => [
      name,
      { name, arity, flags: new Set(flags.split(' ').filter(Boolean)), handler },
    ]),
  ),
);
