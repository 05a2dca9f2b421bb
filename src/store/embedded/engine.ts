/**
 * Runs commands: finds them, refuses what may not run now, queues what MULTI holds back, and hands out what BLPOP waits
 * for. The order of the checks, and their words, are those of Redis' processCommand().
 */
import type { Client } from './client.ts';
import { commands } from './commands/all.ts';
import { type Command, type Context, wrongArity } from './commands/command.ts';
import { Keyspace } from './data/keyspace.ts';
import { Fault, FULL, QUEUED, type Reply } from './protocol/reply.ts';
import { PubSub } from './pubsub.ts';
import type { KnownScript, Scripts } from './scripts/scripts.ts';
import { Statistics } from './statistics.ts';
import { Waiting } from './waiting.ts';
import { Watching } from './watching.ts';

export type { KnownScript };

export interface Limits {
  /** Bytes that keys and values may take, an estimate; beyond it, commands that add are refused. */
  memory: number;
  /** Connections at a time. */
  clients: number;
}

export class Engine {
  readonly watching = new Watching();
  readonly waiting = new Waiting();
  readonly pubsub = new PubSub();
  readonly clients = new Set<Client>();
  /** Those of MONITOR. */
  readonly monitors = new Set<Client>();
  readonly db = new Keyspace((key) => {
    this.watching.changed(key);
    this.waiting.changed(key);
  });
  readonly facts = { redisVersion: '7.0.15', since: Date.now(), port: 0 };
  readonly statistics = new Statistics();
  readonly password: string;
  readonly limits: Limits;
  readonly scripts: Scripts;

  constructor(password: string, limits: Limits, scripts: Scripts) {
    this.password = password;
    this.limits = limits;
    this.scripts = scripts;
  }

  /**
   * Runs what a client has sent.
   * @returns undefined when the answer comes later
   */
  run(client: Client, words: string[]): Reply | undefined {
    const name = words[0]!.toLowerCase();
    // A web page can make a browser send HTTP here; Redis calls it cross protocol scripting.
    if (name === 'post' || name === 'host:') {
      client.wire.end();
      return undefined;
    }
    this.db.now = Date.now();
    client.lastAt = this.db.now;
    const found = this.find(words);
    if (found instanceof Fault) return this.#refuse(client, found);
    const { command, args } = found;
    client.lastCommand = command.name;
    const refusal = this.#refusal(client, command);
    if (refusal) {
      this.statistics.rejected(command.name);
      return this.#refuse(client, refusal);
    }
    if (client.transaction && !command.flags.has('immediate')) {
      client.transaction.queue.push(found);
      return QUEUED;
    }
    this.#tellMonitors(client, command, words);
    const reply = this.call(command, args, { db: this.db, client, engine: this, atomic: false });
    this.waiting.serve(this.db);
    return reply;
  }

  /** The command that is meant, and its arguments; or the error that says what is wrong with them, and counts. */
  find(words: readonly string[]): { command: Command; args: string[] } | Fault {
    const [name, sub] = words as [string, string?];
    const outer = commands.get(name.toLowerCase());
    // A name with a bar in it is no command: `client|id` is `CLIENT ID`.
    if (!outer || name.includes('|')) return unknownCommand(words);
    if (!outer.flags.has('container') || sub === undefined) return this.#withArgs(outer, words, 1);
    const inner = commands.get(`${outer.name}|${sub.toLowerCase()}`);
    if (inner) return this.#withArgs(inner, words, 2);
    return new Fault(`ERR unknown subcommand '${upToNul(sub).slice(0, 128)}'. Try ${outer.name.toUpperCase()} HELP.`);
  }

  /** Runs a command that nothing speaks against. */
  call(command: Command, args: string[], context: Context): Reply | undefined {
    const start = performance.now();
    const reply = this.#perform(command, args, context);
    this.statistics.ran(command.name, performance.now() - start, reply instanceof Fault);
    return reply;
  }

  #perform({ handler }: Command, args: string[], context: Context): Reply | undefined {
    try {
      return handler(args, context);
    } catch (error) {
      if (error instanceof Fault) return error;
      // A fault of ours must not take the sockets of this process down.
      return new Fault(`ERR internal error: ${(error as Error).message}`);
    }
  }

  get full(): boolean {
    return this.db.used > this.limits.memory;
  }

  commandNames(): string[] {
    return [...commands.keys()].filter((name) => !name.includes('|'));
  }

  commandNamed(name: string): Command | undefined {
    return commands.get(name.toLowerCase());
  }

  /** Ends what a client has taken on. */
  release(client: Client): void {
    client.stopWaiting?.();
    client.transaction = undefined;
    this.monitors.delete(client);
    this.watching.unwatch(client);
    this.pubsub.leave(client);
  }

  #withArgs(command: Command, words: readonly string[], skip: number): { command: Command; args: string[] } | Fault {
    const { arity, name } = command;
    if (arity < 0 ? words.length >= -arity : words.length === arity) return { command, args: words.slice(skip) };
    this.statistics.rejected(name);
    return wrongArity(name);
  }

  #refuse(client: Client, fault: Fault): Fault {
    if (client.transaction) client.transaction.broken = true;
    return fault;
  }

  #refusal(client: Client, { name, flags }: Command): Fault | undefined {
    if (!client.authenticated && !flags.has('no_auth')) return new Fault('NOAUTH Authentication required.');
    const adds = flags.has('denyoom') || (client.transaction !== undefined && !flags.has('immediate'));
    if (adds && this.full) return new Fault(FULL);
    if (client.subscriptions > 0 && !flags.has('pubsub')) {
      const allowed = '(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET';
      return new Fault(`ERR Can't execute '${name}': only ${allowed} are allowed in this context`);
    }
    return undefined;
  }

  /** MONITOR. Passwords aren't shown. */
  #tellMonitors(client: Client, { flags }: Command, words: readonly string[]): void {
    if (flags.has('no_auth')) return;
    for (const monitor of this.monitors) {
      const shown = words.map((word) => JSON.stringify(word).replace(/[\x7f-\xff]/g, hexEscape)).join(' ');
      monitor.wire.send(`+${(this.db.now / 1000).toFixed(6)} [0 ${client.address}] ${shown}\r\n`);
    }
  }
}

const hexEscape = (char: string): string => `\\x${char.charCodeAt(0).toString(16)}`;

function unknownCommand([name, ...args]: readonly string[]): Fault {
  let shown = '';
  for (const arg of args) {
    if (shown.length >= 128) break;
    shown += `'${upToNul(arg).slice(0, 128 - shown.length)}' `;
  }
  return new Fault(`ERR unknown command '${upToNul(name!).slice(0, 128)}', with args beginning with: ${shown}`);
}

/** Redis prints with C's functions. */
const upToNul = (text: string): string => text.split('\0', 1)[0]!;
