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
  readonly #lasting: boolean;
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
    this.#lasting = lasting;
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
    // A socket that opens says nothing of the Redis behind it, which may hang: what was lost is there again when it answers.
    const answers = this.#wasOpen ? this.redis.call('PING').catch(unlessReply) : undefined;
    answers?.catch(() => {}); // when it doesn't enter, that is what is told
    await enter(this.redis, entry);
    const { remoteAddress, remotePort } = (this.redis as unknown as { stream: import('node:net').Socket }).stream;
    this.peer = `${remoteAddress} ${remotePort}`;
    await answers;
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

  /**
   * Sends by it. When an answer is late and nothing at all came since, a lasting connection is given up: the other end may
   * be gone without a word, and what waits for an answer would grow.
   * @throws Error of ioredis
   */
  async send<T>(act: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = this.entered;
    const { stream } = redis;
    const before = stream.bytesRead;
    try {
      return await act(redis);
    } catch (error) {
      if (this.#lasting && (error as Error).message === 'Command timed out') await read();
      else throw error;
      // Once: others that wait here will be late too.
      if (stream.bytesRead === before && this.isOpen && redis.stream === stream) this.drop();
      throw error;
    }
  }

  close(): void {
    // Of one that has ended, ioredis would wait 2 s for the end.
    if (this.redis.status !== 'end') this.redis.disconnect();
  }
}

/** Resolves when what has arrived is read: this process may have been busy, or stopped, for longer than the time-out. */
const read = () => new Promise((resolve) => setImmediate(resolve));

/** An error is an answer too. */
function unlessReply(error: Error): void {
  if (error.name !== 'ReplyError') throw error;
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
