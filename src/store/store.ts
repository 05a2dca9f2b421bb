/**
 * The floor under the floor: one Redis, spoken to by commands and scripts, every fault told as a WssessError.
 * All that the rest of wssess knows of Redis is this class; Sentinel, Cluster and the embedded store are behind it, in
 * connect.ts.
 */
import type { Redis } from 'ioredis';
import { WssessError } from '../common/errors.ts';
import { LONGEST_TIMER } from '../common/time.ts';
import { isStale, isUnknownScript, type Told, translate } from './faults.ts';
import { type Entry, Link } from './link.ts';
import { type Ear, Listener } from './listener.ts';

/** Commands that may wait for an answer: when Redis hangs, more would pile up than it ever works off. */
const MOST_WAITING = 20_000;

/** A Lua script: made from sessions/scripts/*.lua by `npm run gen`. */
export interface Script {
  name: string;
  lua: string;
  sha: string;
  /** It has the flag no-writes: a user without the right to write may run it. */
  readOnly: boolean;
}

export type Argument = string | number | Buffer;
export type Command = readonly [name: string, ...args: Argument[]];

/** How a store is made: by connect.ts. */
export interface Made {
  entry: Entry;
  /** Where it is, without its password: for people. */
  where: string;
  told: Told;
  /** Milliseconds that one answer may take. */
  timeout: number;
  /** It connects again for ever. */
  lasting: boolean;
}

export class Store {
  readonly #main: Link;
  readonly #made: Made;
  /** Where this store is, without its password: for people. */
  readonly where: string;
  /** Connections for blocking commands that nobody uses at the moment. */
  #idle: Link[] = [];
  /** All connections beside the main one. */
  readonly #others = new Set<Link>();
  readonly #readied: (() => void)[] = [];
  #waiting = 0;
  #epoch = 0;

  /** @param redis made without username, password and db, which are in the entry */
  constructor(redis: Redis, made: Made) {
    this.#made = made;
    this.where = made.where;
    const onOpen = () => {
      this.#epoch++;
      this.#follow();
      for (const listener of this.#readied) listener();
    };
    this.#main = new Link(redis, made.entry, { lasting: made.lasting, onOpen });
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

  /** Grows each time that the connection is another: behind it may be another Redis. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Calls `listener` each time the connection is there again. */
  onReady(listener: () => void): void {
    this.#readied.push(listener);
  }

  /** Sends one command. @throws WssessError */
  async call<T>(name: string, ...args: Argument[]): Promise<T> {
    return this.#send(1, (redis) => redis.call(name, ...args)) as Promise<T>;
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
    return this.#send(commands.length, async (redis) => {
      const results = await redis.pipeline(commands.map(([name, ...args]) => ['call', name, ...args])).exec();
      return (results ?? []).map(([error, result]) => {
        if (!error) return result as T;
        if (error.name !== 'ReplyError' || isStale(error)) throw error; // of the connection, not of this command
        return this.#translate(error);
      });
    });
  }

  /** Sends by the main connection. Whoever is no master any more is left for the one that is now. */
  async #send<T>(commands: number, act: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#waiting + commands > MOST_WAITING) {
      const why = `it is behind with ${this.#waiting} answers`;
      throw new WssessError('redis_unreachable', `Redis at ${this.where} cannot be reached: ${why}`);
    }
    this.#waiting += commands;
    try {
      return await this.#told(() => this.#main.send(act));
    } catch (error) {
      const { cause } = error as WssessError;
      if (this.#made.told.kind !== 'redis' && cause instanceof Error && isStale(cause)) this.#main.drop();
      throw error;
    } finally {
      this.#waiting -= commands;
    }
  }

  /**
   * Runs a script by its SHA (EVALSHA, EVALSHA_RO for one that only reads), loading it first where Redis doesn't know it yet.
   * @throws WssessError
   */
  async run<T>(script: Script, keys: readonly string[], args: readonly Argument[] = []): Promise<T> {
    return this.#known(script, () => this.call<T>(...evalsha(script, keys, args)));
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
    return this.#known(script, () => this.batch<T>(runs.map(({ keys, args }) => evalsha(script, keys, args))));
  }

  /**
   * Loads a script that Redis doesn't know, and tries again. Of several runs none was done then: scripts are forgotten all at
   * once, and what ran compares before it writes.
   */
  async #known<T>(script: Script, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof WssessError && isUnknownScript(error.cause))) throw error;
      await this.call('SCRIPT', 'LOAD', script.lua);
      return run();
    }
  }

  /**
   * Listens to channels with a connection of its own, which listens again after a loss.
   * @param channels from the beginning; others come and go
   * @throws WssessError
   */
  async listen(channels: readonly string[], ear: Ear): Promise<Listener> {
    let link: Link;
    const connect = (onOpen: () => void) => {
      link = this.#another(this.#made.lasting, onOpen);
      return link;
    };
    const listener = new Listener(connect, this.#made.timeout, ear, () => this.#others.delete(link));
    try {
      await this.#told(() => listener.open(channels));
    } catch (error) {
      listener.close();
      throw error;
    }
    return listener;
  }

  /**
   * Listens to channels that stay the same, and whose messages are text.
   * @returns ends the listening
   * @throws WssessError
   */
  async subscribe(
    channels: readonly string[],
    onMessage: (channel: string, message: string) => void,
  ): Promise<() => void> {
    const heard = (channel: Buffer, message: Buffer) => onMessage(channel.toString(), message.toString());
    const listener = await this.listen(channels, { heard });
    return () => listener.close();
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
    const guard = setTimeout(() => waiter.close(), timeout + this.#made.timeout);
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
    const waiter = this.#another(false);
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
  #another(lasting: boolean, onOpen?: () => void): Link {
    // Subscribing again isn't left to ioredis, which would do so before it has entered.
    const redis = this.#main.redis.duplicate({ lazyConnect: true, autoResubscribe: false });
    const link = new Link(redis, this.#made.entry, { lasting, onOpen });
    this.#others.add(link);
    return link;
  }

  /** The main connection found another master: the others leave the old one too, which may not have noticed. */
  #follow(): void {
    for (const link of this.#others) {
      if (link.isOpen && link.peer !== this.#main.peer) link.drop();
    }
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
    return translate(error, this.#main.fault, this.#made.told);
  }
}

function evalsha({ readOnly, sha }: Script, keys: readonly string[], args: readonly Argument[]): Command {
  return [readOnly ? 'EVALSHA_RO' : 'EVALSHA', sha, keys.length, ...keys, ...args];
}
