/**
 * One connection to Redis that is the right user's and in the right database before anything else is sent, after each
 * reconnect again. That isn't left to ioredis: when its SELECT or its AUTH fails, it goes on in database 0, or as the
 * default user.
 */
import type { Redis } from 'ioredis';

/** Who a connection is, and which database it works in. */
export interface Entry {
  username?: string;
  password?: string;
  db: number;
}

export class Link {
  readonly redis: Redis;
  /** What it last complained of: it explains the bare "Connection is closed" of a command. */
  fault: Error | undefined;
  #entering: Promise<void> = Promise.resolve();
  #hasEntered = false;
  #wasOpen = false;

  /**
   * @param redis made without username, password and db, which are in `entry`
   * @param onOpen called each time it has entered; when it rejects, the connection is dropped
   */
  constructor(redis: Redis, entry: Entry, onOpen: () => unknown = () => {}) {
    this.redis = redis;
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
        this.#hasEntered = false;
        if (redis.status === 'ready') redis.disconnect(true);
      });
    });
  }

  async #enter(entry: Entry, onOpen: () => unknown): Promise<void> {
    // A socket that opens says nothing of the Redis behind it, which may hang: what was lost is there again when it answers.
    const answers = this.#wasOpen ? this.redis.call('PING').catch(unlessReply) : undefined;
    await enter(this.redis, entry);
    await answers;
    this.fault = undefined;
    this.#hasEntered = true;
    this.#wasOpen = true;
    await onOpen();
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

  /**
   * Sends by it.
   * @param lasting it connects again: so when an answer is late and nothing at all came since, this connection is given
   *   up. The other end may be gone without a word, and what waits for an answer would grow
   * @throws Error of ioredis
   */
  async send<T>(act: (redis: Redis) => Promise<T>, lasting: boolean): Promise<T> {
    const redis = this.entered;
    const { stream } = redis;
    const before = stream.bytesRead;
    try {
      return await act(redis);
    } catch (error) {
      if (lasting && (error as Error).message === 'Command timed out') await read();
      else throw error;
      if (stream.bytesRead === before && this.isOpen && redis.stream === stream) {
        this.#hasEntered = false; // once: others that wait here will be late too
        redis.disconnect(true);
      }
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

async function enter(redis: Redis, { username, password, db }: Entry): Promise<void> {
  try {
    const who = username === undefined ? [] : [username];
    const auth = username ?? password;
    // By call(), and in upper case: what ioredis knows as SELECT, it repeats by itself after a reconnect, unheard.
    const known = auth === undefined ? undefined : redis.call('AUTH', ...who, password ?? '').catch(unlessNeedless);
    const selected = db === 0 ? undefined : redis.call('SELECT', db);
    selected?.catch(() => {}); // without AUTH it fails too, and that is not what is told
    await known;
    await selected;
  } catch (error) {
    delete (error as { command?: unknown }).command; // it holds the password
    throw error;
  }
}

/** A password that the default user doesn't need: whoever named it is in all the same. */
function unlessNeedless(error: Error): void {
  if (!/no password is set|without any password configured for the default user/.test(error.message)) throw error;
}
