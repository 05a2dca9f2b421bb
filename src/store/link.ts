/**
 * One connection to Redis that is the right user's and in the right database before anything else is sent, after each
 * reconnect again. That isn't left to ioredis: when its SELECT or its AUTH fails, it goes on in database 0, or as the
 * default user.
 */
import type { Redis } from 'ioredis';

/** Who a connection is, which database it works in, and what must be so there. */
export interface Entry {
  username?: string;
  password?: string;
  db: number;
  /** Rejects where it came to the wrong one: no master, or not that of the keys. */
  check?: (redis: Redis) => Promise<unknown>;
}

interface Habits {
  /** Connects again for ever, once it was open. */
  lasting: boolean;
  /** Called each time it has entered; when it rejects, the connection is dropped. */
  onOpen?: (() => unknown) | undefined;
}

export class Link {
  readonly redis: Redis;
  /** What it last complained of: it explains the bare "Connection is closed" of a command. */
  fault: Error | undefined;
  /** With whom it is connected, as the network names it. */
  peer = '';
  #entering: Promise<void> = Promise.resolve();
  #hasEntered = false;
  #wasOpen = false;
  /** Attempts since it was last open. */
  #attempts = 0;

  /** @param redis made without username, password and db, which are in `entry` */
  constructor(redis: Redis, entry: Entry, { lasting, onOpen = () => {} }: Habits) {
    this.redis = redis;
    // The first connection must succeed; only what was connected once is connected again.
    redis.options.retryStrategy = () =>
      lasting && this.#wasOpen ? Math.min(50 * 2 ** ++this.#attempts, 1000) + Math.random() * 100 : null;
    redis.on('error', (error: Error) => {
      this.fault = error;
    });
    redis.on('close', () => {
      this.#hasEntered = false;
    });
    redis.on('ready', () => {
      this.#entering = this.#enter(entry, onOpen);
      this.#entering.catch((error: Error) => {
        this.fault = error;
        this.drop();
      });
    });
  }

  async #enter(entry: Entry, onOpen: () => unknown): Promise<void> {
    await enter(this.redis, entry);
    const { remoteAddress, remotePort } = (this.redis as unknown as { stream: import('node:net').Socket }).stream;
    this.peer = `${remoteAddress} ${remotePort}`;
    this.fault = undefined;
    this.#hasEntered = true;
    await onOpen();
    this.#wasOpen = true;
    this.#attempts = 0;
  }

  /** Connects and enters. @throws Error of ioredis */
  async open(): Promise<void> {
    await this.redis.connect();
    await this.#entering;
  }

  /** True while commands can be sent. */
  get isOpen(): boolean {
    return this.#hasEntered && this.redis.status === 'ready';
  }

  /** To send a command. @throws Error as of ioredis, while none can be sent */
  get entered(): Redis {
    if (this.#hasEntered) return this.redis;
    throw new Error(this.redis.status === 'end' ? 'Connection is closed.' : "Stream isn't writeable: not entered");
  }

  /** Gives this connection up; a lasting one connects again. */
  drop(): void {
    this.#hasEntered = false;
    if (this.redis.status === 'ready') this.redis.disconnect(true);
  }

  close(): void {
    // Of one that has ended, ioredis would wait 2 s for the end.
    if (this.redis.status !== 'end') this.redis.disconnect();
  }
}

async function enter(redis: Redis, { username, password, db, check }: Entry): Promise<void> {
  try {
    const who = username === undefined ? [] : [username];
    const auth = username ?? password;
    // By call(), and in upper case: what ioredis knows as SELECT, it repeats by itself after a reconnect, unheard.
    const known = auth === undefined ? undefined : redis.call('AUTH', ...who, password ?? '').catch(unlessNeedless);
    const selected = db === 0 ? undefined : redis.call('SELECT', db);
    const checked = check?.(redis);
    // Without AUTH these fail too, and that is not what is told.
    for (const one of [selected, checked]) one?.catch(() => {});
    await known;
    await selected;
    await checked;
  } catch (error) {
    delete (error as { command?: unknown }).command; // it holds the password
    throw error;
  }
}

/** A password that the default user doesn't need: whoever named it is in all the same. */
function unlessNeedless(error: Error): void {
  if (!/no password is set|without any password configured for the default user/.test(error.message)) throw error;
}
