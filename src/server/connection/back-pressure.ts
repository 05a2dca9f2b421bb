/**
 * Slows down who sends to those that fall behind: a flood is read no faster than its receivers take it, instead of being
 * buffered for them. A receiver that is slow but steady is waited for; one that takes too little must not hold up its
 * neighbours, so it is let run into the limit of its own buffer, and is cut there (cause `slow_consumer`).
 */

import { Debts } from './debts.ts';

/** Bytes that may wait for a receiver before its senders do; less where --max-buffer is small. */
const MARK = 256 * 1024;
/** Milliseconds of waiting that a receiver makes good by taking `mark` bytes: 512 KiB a second is steady. */
const PACE = 500;
/** Milliseconds of waiting that a receiver may owe: one that takes nothing holds its senders up for so long, once. */
const PATIENCE = 2000;
/** How often it is looked, in milliseconds. Looks are counted, not time: if we get no CPU, no receiver is to blame. */
const LOOK = 100;

/** Whom something is sent to. */
export interface Receiver {
  /** Bytes that its socket has taken so far. */
  readonly taken: number;
  /** Calls back once, when nothing waits for it any more, or when its socket is gone. */
  onDrained(drained: () => void): void;
}

/** What a receiver has cost those who send to it. */
interface Account {
  /** Bytes that it had taken at the last look. */
  taken: number;
  /** Milliseconds that senders waited for it, less what it made good. */
  owed: number;
  /** When it was last looked, in ms of the monotonic clock. */
  at: number;
  /** Senders that wait for it: until everything is taken, the socket is gone, or it owes too much. */
  wait: { over: Promise<void>; end(): void } | undefined;
}

export class BackPressure {
  readonly mark: number;
  readonly #accounts = new WeakMap<Receiver, Account>();
  /** Those that have not taken everything yet. */
  readonly #behind = new Map<Receiver, Account>();
  readonly #debts = new Debts(PATIENCE);
  readonly #now: () => number;
  #looking: NodeJS.Timeout | undefined;
  #met: Set<Promise<void>> | undefined;

  /**
   * @param maxBuffer bytes at which a receiver is cut
   * @param now milliseconds of a monotonic clock
   */
  constructor(maxBuffer: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.mark = Math.min(MARK, Math.floor(maxBuffer / 4));
  }

  /** Some senders may be waiting. */
  get active(): boolean {
    return this.#behind.size > 0;
  }

  /** When a receiver that senders wait for is waited for no more; undefined when nobody waits for it. */
  waitFor(receiver: Receiver): Promise<void> | undefined {
    return this.#behind.get(receiver)?.wait?.over;
  }

  /** A new one: what others of its owner left, when they went, it owes from the beginning. */
  come(receiver: Receiver, owner: string): void {
    const at = this.#now();
    const owed = this.#debts.of(owner, at);
    if (owed > 0) this.#accounts.set(receiver, { taken: receiver.taken, owed, at, wait: undefined });
  }

  /** It goes: nobody waits for it any more. Nothing is sent to it from here. */
  leave(receiver: Receiver, owner: string): void {
    const account = this.#accounts.get(receiver);
    if (!account) return;
    this.#behind.delete(receiver);
    end(account);
    // As it was last looked: of a socket that is gone it is not known what the client has taken since.
    this.#debts.leave(owner, account.owed, account.at, this.#now());
  }

  /** Something was sent to a receiver for which more than `mark` waits. */
  meet(receiver: Receiver): void {
    if (!this.#met) return; // nobody's work: there is no one who could wait
    const account = this.#behind.get(receiver) ?? this.#begin(receiver);
    if (account.owed >= PATIENCE) return;
    account.wait ??= begin();
    this.#met.add(account.wait.over);
  }

  /**
   * Does a sender's work, which may send to many, and none of it later. Of work inside of work only the inner one waits.
   * @returns what it gave; and, if it met receivers that are behind, when there is room again
   */
  watch<T>(work: () => T): { result: T; room: Promise<void> | undefined } {
    const met = new Set<Promise<void>>();
    const around = this.#met;
    this.#met = met;
    try {
      const result = work();
      const room = met.size === 0 ? undefined : Promise.all(met).then(() => {});
      return { result, room };
    } finally {
      this.#met = around;
    }
  }

  #begin(receiver: Receiver): Account {
    const account = this.#accounts.get(receiver) ?? { taken: 0, owed: 0, at: 0, wait: undefined };
    this.#accounts.set(receiver, account);
    this.#behind.set(receiver, account);
    this.#look(receiver, account, 0);
    receiver.onDrained(() => {
      this.#behind.delete(receiver);
      end(account);
    });
    this.#looking ??= setInterval(() => this.#lookAtAll(), LOOK).unref();
    return account;
  }

  #lookAtAll(): void {
    for (const [receiver, account] of this.#behind) this.#look(receiver, account, account.wait ? LOOK : 0);
    if (this.#behind.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  /** @param waited milliseconds for which senders waited since the last look */
  #look(receiver: Receiver, account: Account, waited: number): void {
    const { taken } = receiver;
    account.owed = Math.max(0, account.owed + waited - ((taken - account.taken) / this.mark) * PACE);
    account.taken = taken;
    account.at = this.#now();
    if (account.owed >= PATIENCE) end(account);
  }
}

function begin(): NonNullable<Account['wait']> {
  let end = () => {};
  const over = new Promise<void>((resolve) => (end = resolve));
  return { over, end };
}

function end(account: Account): void {
  account.wait?.end();
  account.wait = undefined;
}
