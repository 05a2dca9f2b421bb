/**
 * The floor under the floor: one Redis, spoken to by commands and scripts, every fault told as a WssessError.
 * All that the rest of wssess knows of Redis is this class; Sentinel, Cluster and the embedded store move in behind
 * it, in connect.ts.
 */
import type { Redis, RedisOptions } from 'ioredis';
import { WssessError } from '../common/errors.ts';
import { type Entry, Link } from './link.ts';

/** Milliseconds: what setTimeout can hold. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A Lua script: made from sessions/scripts/*.lua by `npm run gen`. */
export interface Script {
  name: string;
  lua: string;
  sha: string;
  /** It has the flag no-writes: a user without the right to write may run it. */
  readOnly: boolean;
}

export type Argument = string | number;
export type Command = readonly [name: string, ...args: Argument[]];

export class Store {
  readonly #main: Link;
  readonly #entry: Entry;
  /** Where this store is, without its password: for people. */
  readonly where: string;
  /** Connections for blocking commands that nobody uses at the moment. */
  #idle: Link[] = [];
  /** All connections beside the main one. */
  readonly #others = new Set<Link>();
  /** Milliseconds that one answer may take. */
  readonly #timeout: number;
  readonly #readied: (() => void)[] = [];

  /** @param redis made without username, password and db, which are in `entry` */
  constructor(redis: Redis, entry: Entry, where: string, timeout: number) {
    this.#main = new Link(redis, entry, () => {
      for (const listener of this.#readied) listener();
    });
    this.#entry = entry;
    this.where = where;
    this.#timeout = timeout;
  }

  /** Opens the connection. @throws WssessError `redis_unreachable`, `redis_denied`, `redis_refused` */
  async open(): Promise<this> {
    await this.#told(() => this.#main.open());
    return this;
  }

  /** True while commands can be sent. */
  get ready(): boolean {
    return this.#main.isOpen;
  }

  /** Calls `listener` each time the connection is there again. */
  onReady(listener: () => void): void {
    this.#readied.push(listener);
  }

  /** Sends one command. @throws WssessError */
  async call<T>(name: string, ...args: Argument[]): Promise<T> {
    return this.#told(async () => this.#main.entered.call(name, ...args)) as Promise<T>;
  }

  /** Sends several commands in one write; their results in order. @throws WssessError of the first that failed */
  async batch<T>(commands: readonly Command[]): Promise<T[]> {
    return (await this.attempt<T>(commands)).map((result) => {
      if (result instanceof WssessError) throw result;
      return result;
    });
  }

  /** The same where single ones may fail, at keys that others have made something else of. @throws WssessError */
  async attempt<T>(commands: readonly Command[]): Promise<(T | WssessError)[]> {
    const results = await this.#told(async () =>
      this.#main.entered.pipeline(commands.map(([name, ...args]) => ['call', name, ...args])).exec(),
    );
    return (results ?? []).map(([error, result]) => (error ? this.#translate(error) : (result as T)));
  }

  /**
   * Runs a script by its SHA (EVALSHA, EVALSHA_RO for one that only reads), loading it first where Redis doesn't know it yet.
   * @throws WssessError
   */
  async run<T>(script: Script, keys: readonly string[], args: readonly Argument[] = []): Promise<T> {
    const call = () =>
      this.call<T>(script.readOnly ? 'EVALSHA_RO' : 'EVALSHA', script.sha, keys.length, ...keys, ...args);
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof WssessError && isUnknownScript(error.cause))) throw error;
      await this.call('SCRIPT', 'LOAD', script.lua);
      return call();
    }
  }

  /**
   * Runs a script several times in one write; each run is atomic by itself.
   * @returns what each returned, in order
   * @throws WssessError of the first that failed
   */
  async runAll<T>(
    script: Script,
    runs: readonly { keys: readonly string[]; args: readonly Argument[] }[],
  ): Promise<T[]> {
    if (runs.length === 0) return [];
    const name = script.readOnly ? 'EVALSHA_RO' : 'EVALSHA';
    const call = () =>
      this.batch<T>(runs.map(({ keys, args }) => [name, script.sha, keys.length, ...keys, ...args] as const));
    try {
      return await call();
    } catch (error) {
      // Where it is unknown none of them ran: scripts are forgotten all at once, and what ran compares before it writes.
      if (!(error instanceof WssessError && isUnknownScript(error.cause))) throw error;
      await this.call('SCRIPT', 'LOAD', script.lua);
      return call();
    }
  }

  /**
   * Listens on channels with a connection of its own, which subscribes again after a loss.
   * @param onMessage called with the channel and the message
   * @returns ends the listening
   */
  async subscribe(
    channels: readonly string[],
    onMessage: (channel: string, message: string) => void,
  ): Promise<() => void> {
    // Not left to ioredis, which would subscribe before it has entered.
    const listener = this.#another({ autoResubscribe: false }, () => listener.redis.subscribe(...channels));
    listener.redis.on('message', onMessage);
    const end = () => {
      listener.redis.off('message', onMessage);
      this.#others.delete(listener);
      listener.close();
    };
    try {
      await this.#told(() => listener.open());
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /**
   * Waits for an element of a list (BLPOP) on a connection of its own, so that nothing else waits behind it.
   * @param timeout milliseconds
   * @returns undefined when none came
   * @throws WssessError
   */
  async pop(key: string, timeout: number): Promise<string | undefined> {
    const waiter = this.#idle.pop() ?? (await this.#newWaiter());
    // A Redis that went silent sends no end of the wait either.
    const guard = setTimeout(() => waiter.close(), timeout + this.#timeout);
    try {
      const answer = await this.#told(async () => waiter.entered.blpop(key, Math.max(timeout, 10) / 1000));
      this.#idle.push(waiter);
      return answer?.[1];
    } catch (error) {
      waiter.close();
      throw error;
    } finally {
      clearTimeout(guard);
    }
  }

  async #newWaiter(): Promise<Link> {
    const waiter = this.#another({ retryStrategy: () => null });
    waiter.redis.on('end', () => {
      this.#others.delete(waiter);
      this.#idle = this.#idle.filter((one) => one !== waiter);
    });
    try {
      await this.#told(() => waiter.open());
    } catch (error) {
      waiter.close();
      throw error;
    }
    waiter.redis.options.commandTimeout = LONGEST_TIMER; // BLPOP ends by itself, and by the guard
    return waiter;
  }

  /** One more connection like the main one. */
  #another(options: Partial<RedisOptions>, onOpen?: () => Promise<unknown>): Link {
    const link = new Link(this.#main.redis.duplicate({ lazyConnect: true, ...options }), this.#entry, onOpen);
    this.#others.add(link);
    return link;
  }

  /** Closes all connections. */
  close(): void {
    for (const link of [...this.#others, this.#main]) link.close();
  }

  async #told<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw this.#translate(error as Error);
    }
  }

  #translate(error: Error): WssessError {
    if (error instanceof WssessError) return error;
    const where = `Redis at ${this.where}`;
    if (error.name === 'ReplyError')
      return new WssessError(codeOfReply(error), `${where}: ${error.message}`, { cause: error });
    if (error.name === 'ParserError')
      return new WssessError('redis_refused', `${where}: what answers there does not speak as Redis does`, {
        cause: error,
      });
    if (!isOfConnection(error)) throw error;
    const fault = this.#main.fault ?? error;
    if (fault.name === 'ReplyError')
      return new WssessError(codeOfReply(fault), `${where}: ${fault.message}`, { cause: fault });
    const isSilent = [error, fault].some(({ message }) => message === 'Command timed out');
    const why = isSilent ? 'it did not answer in time' : reasonOf(fault);
    return new WssessError('redis_unreachable', `${where} cannot be reached: ${why}`, { cause: error });
  }
}

/** What ioredis throws when the connection fails or is silent; anything else is a fault of ours. */
function isOfConnection(error: Error & { code?: string }): boolean {
  return (
    error.code !== undefined ||
    error.name === 'MaxRetriesPerRequestError' ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|Redis is already|connect ETIMEDOUT)/.test(
      error.message,
    )
  );
}

function isUnknownScript(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT');
}

/** Code of an error reply: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
function codeOfReply({ message }: Error): 'redis_denied' | 'key_type' | 'redis_refused' {
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH |ERR invalid password|ERR Client sent AUTH)/.test(message))
    return 'redis_denied';
  return message.startsWith('WRONGTYPE') ? 'key_type' : 'redis_refused';
}

function reasonOf(fault: Error & { code?: string }): string {
  switch (fault.code) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host';
    case 'ETIMEDOUT':
      return 'the connection timed out';
    case undefined:
      return fault.message.startsWith('Stream isn') ? 'the connection is down' : fault.message.replace(/\.$/, '');
    default:
      return fault.code;
  }
}
