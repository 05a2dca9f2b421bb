/** What a command is: a row in a table. The tables are named in all.ts. */
import type { Client } from '../client.ts';
import type { Keyspace } from '../data/keyspace.ts';
import type { Engine } from '../engine.ts';
import { Fault, type Reply } from '../protocol/reply.ts';

/** What a handler works on. */
export interface Context {
  db: Keyspace;
  client: Client;
  engine: Engine;
  /** Inside a transaction or script, where nothing may wait. */
  atomic: boolean;
  /** Who asks, as MONITOR shows it. */
  source: string;
}

/**
 * @param args what follows the name (of the subcommand, if it is one), as many as the arity allows
 * @returns undefined when the answer comes later
 * @throws Fault
 */
export type Handler = (args: string[], context: Context) => Reply | undefined;

/**
 * Arity as Redis counts it: with the name, negative for "at least". Flags, by words:
 * `readonly` or `write`; `denyoom`: refused when memory is full; `noscript`; `no_auth`: before AUTH too; `pubsub`: on a
 * connection that has subscribed too; `immediate`: acted on inside MULTI, not queued; `names`: its arguments are held
 * for the client; `admin`: MONITOR doesn't show it.
 */
export type Row = readonly [arity: number, flags: string, handler: Handler];

/** By name in small letters; subcommands as `client|id`, and then a row of `client` itself, with `container`. */
export type Rows = Readonly<Record<string, Row>>;

export interface Command {
  name: string;
  arity: number;
  flags: ReadonlySet<string>;
  handler: Handler;
}

export const wrongArity = (name: string): Fault => new Fault(`ERR wrong number of arguments for '${name}' command`);

/** The row of a command that has subcommands: it is never run itself. */
export const container: Row = [
  -2,
  'container',
  () => {
    throw new Fault('ERR unknown subcommand');
  },
];

/** The options of a command are taken one by one from what follows its fixed arguments. */
export const lower = (text: string | undefined): string | undefined => text?.toLowerCase();
