/**
 * One session's place in Redis, for as long as its socket lives. The TTL is the client's lease: its bytes renew it. It
 * is written at half-life, and only if there was a sign since; at the deadline Redis is asked, since another may have
 * renewed it. Times are milliseconds of the monotonic clock.
 */
import { WssessError } from '../../common/errors.ts';
import type { Details } from '../../sessions/model.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { isPassing, type Lease } from './lease.ts';

/** The longest delay that a timer takes; waking earlier than needed does no harm. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Milliseconds before what Redis didn't take is tried again; up to twice that, so that not all come at once. */
const RETRY = 1000;

export interface Owner {
  sessions: Pick<Sessions, 'registry' | 'directory'>;
  lease: Pick<Lease, 'renew'>;
  /** How many sessions the user may have; 0: any number. */
  maxUserSessions: number;
  /** The TTL ran out and nobody renewed it: close the socket. */
  expired(): void;
  /** When the client last gave a sign. */
  lastSign(): number;
  fault(error: unknown): void;
}

export class Registration {
  readonly #id: string;
  readonly #details: Details;
  readonly #owner: Owner;
  /** Whom the session key names, as far as we know: others may write it. */
  #user: string;
  /** When the session key runs out, as far as we know. */
  #expiresAt = 0;
  /** The sign up to which the TTL was written. */
  #written = 0;
  /** Half of the life is over without a sign: the next one is written at once. */
  #late = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** What is being written: one thing at a time. */
  #writing: Promise<void> = Promise.resolve();

  constructor(id: string, details: Details, owner: Owner) {
    this.#id = id;
    this.#details = details;
    this.#owner = owner;
    this.#user = details.user;
  }

  /** @throws WssessError; the session may have been written then, and close() removes it */
  open(): Promise<void> {
    const opening = this.#open();
    this.#writing = opening.catch(() => {});
    return opening;
  }

  async #open(): Promise<void> {
    const { sessions, maxUserSessions } = this.#owner;
    const register = () => sessions.registry.register(this.#id, this.#details, maxUserSessions);
    this.#written = this.#owner.lastSign();
    this.#expiresAt = performance.now() + this.#details.ttl;
    try {
      await register();
    } catch (error) {
      if (!(error instanceof WssessError && error.code === 'lease_lost')) throw error;
      await this.#owner.lease.renew();
      await register();
    }
    if (!this.#closed) this.#waitForHalf();
  }

  /** The client gave a sign; the owner's lastSign tells when. */
  sign(): void {
    if (this.#late && !this.#closed) this.#renew();
  }

  /** Removes the session. Resolves when Redis was told; what it didn't take is tried again in the background. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#remove();
  }

  async #remove(): Promise<void> {
    try {
      await this.#owner.sessions.registry.unregister(this.#id, this.#user, this.#details);
    } catch (error) {
      if (isPassing(error)) this.#later(() => this.#remove()).unref();
      else this.#owner.fault(error);
    }
  }

  /** Writes what Redis has lost, with what is left of the TTL. */
  restore(): Promise<void> {
    this.#write(async () => {
      const left = this.#expiresAt - performance.now();
      if (left <= 0) return this.#decide();
      this.#user = await this.#owner.sessions.registry.renew(this.#id, this.#user, this.#details, left);
    });
    return this.#writing;
  }

  #waitForHalf(): void {
    this.#late = false;
    const left = this.#expiresAt - performance.now();
    this.#wait(left * (0.4 + Math.random() * 0.1), () => {
      if (this.#owner.lastSign() > this.#written) return this.#renew();
      this.#late = true;
      this.#waitForEnd();
    });
  }

  #waitForEnd(): void {
    this.#wait(this.#expiresAt - performance.now(), () => this.#decide());
  }

  /** Writes the TTL that the last sign gives. */
  #renew(): void {
    this.#late = false;
    clearTimeout(this.#timer);
    const sign = this.#owner.lastSign();
    const end = sign + this.#details.ttl;
    this.#write(async () => {
      const left = Math.max(1, end - performance.now());
      this.#user = await this.#owner.sessions.registry.renew(this.#id, this.#user, this.#details, left);
      this.#written = sign;
      this.#expiresAt = end;
      this.#waitForHalf();
    });
  }

  /** The deadline: renewed elsewhere, it goes on; written again if the client gave a sign; gone, the socket closes. */
  #decide(): void {
    this.#write(async () => {
      const found = await this.#owner.sessions.directory.get(this.#id);
      if (this.#closed) return;
      if (found) {
        // Who renewed the session key may know nothing of the keys beside it.
        const left = Math.max(1, found.ttl ?? this.#details.ttl);
        this.#user = await this.#owner.sessions.registry.renew(this.#id, found.user, this.#details, left);
        this.#expiresAt = performance.now() + left;
        this.#waitForHalf();
      } else if (this.#owner.lastSign() + this.#details.ttl > performance.now()) {
        this.#renew();
      } else {
        this.#owner.expired();
      }
    });
  }

  #write(act: () => Promise<void>): void {
    this.#writing = this.#writing.then(async () => {
      if (this.#closed) return;
      try {
        await act();
      } catch (error) {
        if (!isPassing(error)) this.#owner.fault(error);
        if (error instanceof WssessError && error.code === 'lease_lost') void this.#owner.lease.renew();
        if (!this.#closed) this.#timer = this.#later(() => this.#again());
      }
    });
  }

  #again(): void {
    if (this.#owner.lastSign() > this.#written) this.#renew();
    else this.#waitForEnd();
  }

  #later(act: () => void): NodeJS.Timeout {
    return setTimeout(act, RETRY * (1 + Math.random()));
  }

  #wait(delay: number, act: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(act, Math.min(Math.max(1, Math.ceil(delay)), LONGEST_TIMER));
  }
}
