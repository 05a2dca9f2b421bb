/**
 * Runs commands: finds them, refuses what may not run now, queues what MULTI holds back, and hands out what BLPOP waits
 * for. The order of the checks, and their words, are those of Redis' processCommand().
 */
import { type Client, type Request, sizeOfNames, sizeOfQueued } from './client.ts';
import { commands } from './commands/all.ts';
import { type Command, type Context, wrongArity } from './commands/command.ts';
import { Keyspace } from './data/keyspace.ts';
import { Monitors } from './monitors.ts';
import { Fault, FULL, QUEUED, type Reply } from './protocol/reply.ts';
import { PubSub } from './pubsub.ts';
import type { KnownScript, Scripts } from './scripts/scripts.ts';
import { Statistics } from './statistics.ts';
import { Waiting } from './waiting.ts';
import { Watching } from './watching.ts';

export type { KnownScript };

/** Milliseconds between two faults that are told. */
const TELL_EVERY = 1000;

export interface Limits {
  /** Bytes that keys, values and clients may take, an estimate; beyond it, commands that add are refused. */
  memory: number;
  /** Bytes of one reply, and that names and the queue of MULTI may bring one client to; beyond it, they are refused. */
  perClient: number;
  /** Bytes that are held for all clients; beyond it, the one that holds the most is cut. */
  allClients: number;
  /** Connections at a time. */
  clients: number;
}

export class Engine {
  readonly watching = new Watching();
  readonly waiting = new Waiting();
  readonly pubsub = new PubSub();
  readonly clients = new Set<Client>();
  /** Bytes that are held for them, an estimate. */
  held = 0;
  readonly monitors = new Monitors();
  readonly db = new Keyspace((key) => {
    this.watching.changed(key);
    this.waiting.changed(key);
  });
  readonly facts = { redisVersion: '7.0.15', since: Date.now(), port: 0 };
  readonly statistics = new Statistics();
  readonly password: string;
  readonly limits: Limits;
  readonly scripts: Scripts;
  readonly #onFault: (error: Error) => void;
  #faultAt = -Infinity;

  constructor(password: string, limits: Limits, scripts: Scripts, onFault: (error: Error) => void = () => {}) {
    this.password = password;
    this.limits = limits;
    this.scripts = scripts;
    this.#onFault = onFault;
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
    const { command } = found;
    client.lastCommand = command.name;
    const refusal = this.#refusal(client, found);
    if (refusal) {
      this.statistics.rejected(command.name);
      return this.#refuse(client, refusal);
    }
    if (client.transaction && !command.flags.has('immediate')) {
      client.enqueue(found);
      return QUEUED;
    }
    const reply = this.call(found, { db: this.db, client, engine: this, atomic: false, source: client.address });
    this.waiting.serve(this.db);
    return reply;
  }

  /** The command that is meant, and its arguments; or the error that says what is wrong with them, and counts. */
  find(words: readonly string[]): Request | Fault {
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
  call({ command, args, words }: Request, context: Context): Reply | undefined {
    const isExec = command.name === 'exec'; // which MONITOR shows behind what it runs
    if (!isExec) this.monitors.tell(command, words, context);
    const start = performance.now();
    const reply = this.#perform(command, args, context);
    if (isExec) this.monitors.tell(command, words, context);
    this.statistics.ran(command.name, performance.now() - start, reply instanceof Fault);
    return reply;
  }

  #perform({ handler }: Command, args: string[], context: Context): Reply | undefined {
    try {
      return handler(args, context);
    } catch (error) {
      if (error instanceof Fault) return error;
      // A fault of ours must not take the sockets of this process down.
      this.fault(error as Error);
      return new Fault(`ERR internal error: ${(error as Error).message}`);
    }
  }

  /** Bytes that keys, values and clients take, an estimate. */
  get used(): number {
    return this.db.used + this.held;
  }

  get full(): boolean {
    return this.used > this.limits.memory;
  }

  /** Tells of a fault of ours: one of a storm is enough. */
  fault(error: Error): void {
    const now = performance.now();
    if (now - this.#faultAt < TELL_EVERY) return;
    this.#faultAt = now;
    this.#onFault(error);
  }

  /** Cuts those who hold the most, while all clients hold more than they may. */
  trim(): void {
    while (this.held > this.limits.allClients) {
      let most: Client | undefined;
      for (const client of this.clients) if (!most || client.held > most.held) most = client;
      if (!most || most.held <= 0) return;
      this.clients.delete(most);
      this.release(most);
      most.wire.cut(new Fault('OOM the clients hold too much in requests, replies and names, and this one the most'));
    }
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
    client.endTransaction();
    this.monitors.delete(client);
    this.watching.unwatch(client);
    this.pubsub.leave(client);
  }

  #withArgs(command: Command, words: readonly string[], skip: number): Request | Fault {
    const { arity, name } = command;
    if (arity < 0 ? words.length >= -arity : words.length === arity) return { command, args: words.slice(skip), words };
    this.statistics.rejected(name);
    return wrongArity(name);
  }

  #refuse(client: Client, fault: Fault): Fault {
    if (client.transaction) client.transaction.broken = true;
    return fault;
  }

  #refusal(client: Client, { command: { name, flags }, args, words }: Request): Fault | undefined {
    if (!client.authenticated && !flags.has('no_auth')) return new Fault('NOAUTH Authentication required.');
    const queues = client.transaction !== undefined && !flags.has('immediate');
    if ((queues || flags.has('denyoom')) && this.full) return new Fault(FULL);
    const more = queues ? sizeOfQueued(words) : flags.has('names') ? sizeOfNames(args) : 0;
    if (more > 0 && client.held + more > this.limits.perClient) {
      return new Fault(`OOM a client may hold ${this.limits.perClient} bytes of commands, names and replies`);
    }
    if (client.subscriptions > 0 && !flags.has('pubsub')) {
      const allowed = '(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET';
      return new Fault(`ERR Can't execute '${name}': only ${allowed} are allowed in this context`);
    }
    return undefined;
  }
}

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
