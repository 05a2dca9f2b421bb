/**
 * One connection that listens to channels, which come and go. Redis is told the difference between what is wanted and what
 * it was told before, a page at a time and none before the last is confirmed: whoever subscribes and leaves in a hurry
 * costs no more than that, and what is wanted in the end is what holds. After a reconnect all is told again.
 */
import type { Link } from './link.ts';

/** Channels that are told at a time. */
const PAGE = 500;
/** Milliseconds between signs of life that are asked for, at most. */
const BEAT = 2000;
/** Signs of life in a row that fail to come before the connection is taken for dead. */
const MISSED = 2;

/** What a listener tells. */
export interface Ear {
  /** The bytes are the connection's own, and good until this returns. */
  heard(channel: Buffer, message: Buffer): void;
  /** Nothing is heard at the moment: the connection is lost, or Redis refused channels. */
  lost?(fault: Error): void;
  /** Everything is heard again. */
  regained?(): void;
}

interface Waiting {
  confirmed: Promise<void>;
  over(): void;
}

export class Listener {
  readonly #link: Link;
  readonly #timeout: number;
  readonly #ear: Ear;
  readonly #ended: () => void;
  /** How often each channel is wanted. */
  readonly #wanted = new Map<string, number>();
  /** What Redis has confirmed to this connection, and was not asked to end. */
  readonly #heard = new Set<string>();
  /** Where the two differ. */
  readonly #changed = new Set<string>();
  /** Those who wait for Redis to confirm. */
  readonly #waiting = new Map<string, Waiting>();
  #telling = false;
  #deaf = false;
  #missed = 0;
  #beat: NodeJS.Timeout | undefined;

  /**
   * @param connect makes the connection, and calls back each time that it is there
   * @param timeout milliseconds that one answer may take
   * @param ended called once, when it is closed
   */
  constructor(connect: (onOpen: () => void) => Link, timeout: number, ear: Ear, ended: () => void) {
    this.#timeout = timeout;
    this.#ear = ear;
    this.#ended = ended;
    this.#link = connect(() => this.#opened());
    const { redis } = this.#link;
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#missed = 0;
      ear.heard(channel, message);
    });
    redis.on('close', () => this.#closed());
  }

  /** Connects, and listens. @throws Error of ioredis, also when Redis doesn't allow one of the channels */
  async open(channels: readonly string[]): Promise<void> {
    for (const channel of channels) this.#want(channel);
    await this.#link.open();
    await this.#tell();
    this.#beat = setInterval(() => this.#askForLife(), Math.min(BEAT, this.#timeout)).unref();
  }

  /**
   * Listens to a channel, as often as it is called.
   * @returns resolves when Redis has confirmed it, or in vain: it is lost, refuses, or takes too long. Undefined when there
   *   is nothing to wait for
   */
  watch(channel: string): Promise<void> | undefined {
    this.#want(channel);
    if (this.#heard.has(channel) || !this.#link.isOpen) return undefined;
    this.#tellLater();
    return this.#wait(channel);
  }

  /** Takes back one `watch`. */
  unwatch(channel: string): void {
    const times = this.#wanted.get(channel) ?? 0;
    if (times > 1) {
      this.#wanted.set(channel, times - 1);
      return;
    }
    this.#wanted.delete(channel);
    this.#waiting.get(channel)?.over();
    this.#compare(channel);
    this.#tellLater();
  }

  close(): void {
    clearInterval(this.#beat);
    this.#beat = undefined;
    this.#link.redis.removeAllListeners('messageBuffer');
    this.#link.close();
    this.#release();
    this.#ended();
  }

  #want(channel: string): void {
    const times = this.#wanted.get(channel) ?? 0;
    this.#wanted.set(channel, times + 1);
    if (times === 0) this.#compare(channel);
  }

  #compare(channel: string): void {
    if (this.#wanted.has(channel) === this.#heard.has(channel)) this.#changed.delete(channel);
    else this.#changed.add(channel);
  }

  #opened(): void {
    this.#missed = 0;
    if (this.#deaf) this.#tellLater();
  }

  #closed(): void {
    const heard = [...this.#heard];
    this.#heard.clear();
    for (const channel of heard) this.#compare(channel);
    this.#lost(this.#link.fault ?? new Error('Connection is closed.'));
  }

  #lost(fault: Error): void {
    this.#deaf = true;
    this.#release();
    if (this.#beat) this.#ear.lost?.(fault); // it was open, and isn't meant to be closed
  }

  /** Tells what has changed at the end of this turn, with what else changes in it. */
  #tellLater(): void {
    if (this.#telling) return;
    queueMicrotask(() => {
      this.#tell().catch((fault: Error) => {
        if (!this.#link.isOpen) return; // it is told anew when it is back
        this.#lost(fault);
        // What Redis refuses is asked for again now and then; of one that doesn't answer nobody knows what it has heard.
        if (fault.name !== 'ReplyError') this.#link.redis.disconnect(true);
      });
    });
  }

  async #tell(): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    try {
      while (this.#changed.size > 0 && this.#link.isOpen) await this.#tellPage();
    } finally {
      this.#telling = false;
    }
    if (!this.#deaf || !this.#link.isOpen) return;
    this.#deaf = false;
    this.#ear.regained?.();
  }

  async #tellPage(): Promise<void> {
    const page: string[] = [];
    for (const channel of this.#changed) if (page.push(channel) === PAGE) break;
    const come = page.filter((channel) => this.#wanted.has(channel));
    const go = page.filter((channel) => !this.#wanted.has(channel));
    const { redis } = this.#link;
    const told = [come.length > 0 && redis.subscribe(...come), go.length > 0 && redis.unsubscribe(...go)];
    // From here on not to be relied on: whoever wants one of them again waits until it is confirmed anew.
    for (const channel of go) this.#heard.delete(channel);
    for (const channel of go) this.#compare(channel);
    await Promise.all(told);
    for (const channel of come) this.#heard.add(channel);
    for (const channel of come) this.#compare(channel); // it may be wanted no more
    for (const channel of come) this.#waiting.get(channel)?.over();
  }

  #wait(channel: string): Promise<void> {
    const known = this.#waiting.get(channel);
    if (known) return known.confirmed;
    let over = () => {};
    const confirmed = new Promise<void>((resolve) => {
      const late = setTimeout(() => over(), this.#timeout).unref();
      over = () => {
        clearTimeout(late);
        this.#waiting.delete(channel);
        resolve();
      };
    });
    this.#waiting.set(channel, { confirmed, over });
    return confirmed;
  }

  #release(): void {
    for (const { over } of [...this.#waiting.values()]) over();
  }

  /**
   * A connection that is dead on the way says nothing: PING, which also a subscriber may send. Missed answers are counted, not
   * timed, so that a process that was stopped for a while first reads what has come in the meantime.
   */
  #askForLife(): void {
    if (!this.#link.isOpen) return;
    const { redis } = this.#link;
    if (++this.#missed > MISSED) {
      this.#link.fault = new Error('Command timed out');
      redis.disconnect(true);
      return;
    }
    const alive = () => {
      this.#missed = 0;
    };
    redis.ping().then(alive, (fault: Error) => fault.name === 'ReplyError' && alive());
    if (this.#changed.size > 0) this.#tellLater();
  }
}
