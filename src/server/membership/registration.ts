/**
 * One session's place in Redis, for as long as its socket lives. The TTL is the client's lease: its bytes renew it. It
 * is written at half-life, and only if there was a sign since; at the deadline Redis is asked, since another may have
 * renewed it. What Redis doesn't take waits for `restore`. Times are milliseconds of the monotonic clock.
 */

import { WssessError } from '../../common/errors.ts';
import { LONGEST_TIMER } from '../../common/time.ts';
import type { Details } from '../../sessions/model.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { type Ended, SessionEnded } from '../../sessions/tombstone.ts';
import { isPassing, type Lease } from './lease.ts';

/** Milliseconds before a write is tried again that failed by a fault of ours, or of what lies in Redis. */
const AFTER_FAULT = 10_000;
/** Milliseconds that Redis may be ahead of what is known here: an answer takes its time. */
const SHORTENED = 1500;

export interface Owner {
  sessions: Pick<Sessions, 'registry' | 'directory'>;
  lease: Pick<Lease, 'renew'>;
  /** How many sessions the user may have; 0: any number. */
  maxUserSessions: number;
  /** CONNECT is answered though Redis is away: the session is registered by `restore`. */
  acceptUnregistered: boolean;
  /** Redis has it. */
  registered(): void;
  /** The TTL ran out and nobody renewed it: close the socket. */
  expired(): void;
  /** Somebody ended it while this node was taken for dead: close the socket. */
  ended(how: Ended): void;
  /** Its id has become another session's, while this node was taken for dead: close the socket. */
  taken(): void;
  /** It was accepted before it could be registered, and may not be: close the socket. */
  refused(): void;
  /** Redis didn't take a write: `restore` must be called. */
  behind(): void;
  /** Redis didn't take the removal. */
  left(): void;
  /** When the client last gave a sign. */
  lastSign(): number;
  fault(error: unknown): void;
}

/** What became of a write: `later`: Redis didn't take it; `no`: the session has ended, or the fault was told. */
type Written = 'yes' | 'later' | 'no';

export class Registration {
  readonly #id: string;
  readonly #details: Details;
  readonly #owner: Owner;
  /** Whom the session key names, as far as we know: others may write it. */
  #user: string;
  /** Redis took it. */
  #isRegistered = false;
  /** When the session key runs out, as far as we know. */
  #expiresAt = 0;
  /** The sign up to which the TTL was written. */
  #written = 0;
  /** Half of the life is over without a sign: the next one is written at once. */
  #late = false;
  #timer: NodeJS.Timeout | undefined;
  /** The id belongs to another session: nothing of it was written here, and nothing may be removed. */
  #isAnothers = false;
  #closed = false;
  /** What is being written: one thing at a time. */
  #writing: Promise<unknown> = Promise.resolve();

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
    const { lease, acceptUnregistered } = this.#owner;
    this.#written = this.#owner.lastSign();
    this.#expiresAt = performance.now() + this.#details.ttl;
    try {
      await this.#register().catch(async (error: unknown) => {
        if (!isLeaseLost(error)) throw error;
        await lease.renew();
        await this.#register();
      });
    } catch (error) {
      this.#isAnothers = isOf(error, 'session_taken');
      if (!(acceptUnregistered && isPassing(error))) {
        this.#closed = true; // nothing may write it any more
        throw error;
      }
      this.#owner.fault(error);
      if (!this.#closed) this.#owner.behind();
      return;
    }
    this.#taken();
  }

  async #register(): Promise<void> {
    const { sessions, maxUserSessions } = this.#owner;
    await sessions.registry.register(this.#id, this.#details, maxUserSessions);
  }

  #taken(): void {
    this.#isRegistered = true;
    this.#owner.registered();
    this.#waitForHalf();
  }

  /** The client gave a sign; the owner's lastSign tells when. */
  sign(): void {
    if (!this.#late || this.#closed) return;
    this.#late = false;
    clearTimeout(this.#timer);
    void this.restore();
  }

  /** Removes the session. Resolves when Redis was told, or didn't take it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    if (this.#isAnothers) return;
    try {
      await this.#owner.sessions.registry.unregister(this.#id, this.#user, this.#details);
    } catch (error) {
      if (isPassing(error)) this.#owner.left();
      else this.#owner.fault(error);
    }
  }

  /**
   * Writes the session again, with what is left of its TTL by the client's last sign, or more where others have renewed
   * it. At its end Redis is asked.
   * @returns false when Redis didn't take it, and has to be asked again
   */
  async restore(): Promise<boolean> {
    return (await this.#restore()) !== 'later';
  }

  /** The same. @returns whether Redis has all of it now */
  async rewrite(): Promise<boolean> {
    return (await this.#restore()) === 'yes';
  }

  /** So many milliseconds are left in Redis. Somebody may have set them (EXPIRE); the client's lease is what counts. */
  left(milliseconds: number): void {
    const ownLeft = this.#expiresAt - performance.now();
    if (this.#isRegistered && !this.#closed && ownLeft > milliseconds + SHORTENED) void this.restore();
  }

  #restore(): Promise<Written> {
    return this.#write(() => {
      const sign = this.#owner.lastSign();
      const end = sign > this.#written ? Math.max(this.#expiresAt, sign + this.#details.ttl) : this.#expiresAt;
      return end > performance.now() ? this.#renew(sign, end) : this.#decide();
    });
  }

  #waitForHalf(): void {
    this.#late = false;
    const left = this.#expiresAt - performance.now();
    this.#wait(left * (0.4 + Math.random() * 0.1), () => {
      if (this.#owner.lastSign() > this.#written) return void this.restore();
      this.#late = true;
      this.#wait(this.#expiresAt - performance.now(), () => void this.restore());
    });
  }

  /** Writes the TTL that a sign gives. */
  async #renew(sign: number, end: number): Promise<void> {
    const { sessions, maxUserSessions } = this.#owner;
    const left = Math.max(1, end - performance.now());
    if (this.#isRegistered) {
      this.#user = await sessions.registry.renew(this.#id, this.#user, this.#details, left);
    } else {
      await sessions.registry.registerLate(this.#id, this.#details, maxUserSessions, left);
    }
    this.#written = sign;
    this.#expiresAt = end;
    if (this.#isRegistered) this.#waitForHalf();
    else this.#taken();
  }

  /** The deadline: renewed elsewhere, it goes on; gone, the socket closes. */
  async #decide(): Promise<void> {
    const { registry, directory } = this.#owner.sessions;
    const found = this.#isRegistered ? await directory.get(this.#id) : undefined;
    if (this.#closed) return;
    if (found) {
      // Who renewed the session key may know nothing of the keys beside it.
      const left = Math.max(1, found.ttl ?? this.#details.ttl);
      this.#user = await registry.renew(this.#id, this.#user, this.#details, left);
      this.#expiresAt = performance.now() + left;
      this.#waitForHalf();
    } else {
      const sign = this.#owner.lastSign();
      const end = sign + this.#details.ttl;
      // It came while Redis was asked.
      if (sign > this.#written && end > performance.now()) await this.#renew(sign, end);
      else this.#owner.expired();
    }
  }

  #write(act: () => Promise<void>): Promise<Written> {
    const written = this.#writing.then(async () => {
      if (this.#closed) return 'no';
      clearTimeout(this.#timer);
      try {
        await act();
        return this.#closed ? 'no' : 'yes';
      } catch (error) {
        return this.#closed ? 'no' : this.#failed(error);
      }
    });
    this.#writing = written;
    return written;
  }

  #failed(error: unknown): Exclude<Written, 'yes'> {
    const owner = this.#owner;
    if (error instanceof SessionEnded) {
      owner.ended(error.ended);
    } else if (isPassing(error)) {
      if (isLeaseLost(error)) void owner.lease.renew();
      owner.behind();
      return 'later';
    } else if (isOf(error, 'too_many_sessions')) {
      owner.refused();
    } else if (isOf(error, 'session_taken')) {
      this.#isAnothers = true;
      owner.taken();
    } else {
      owner.fault(error);
      this.#wait(AFTER_FAULT * (1 + Math.random()), () => void this.restore());
    }
    return 'no';
  }

  #wait(delay: number, act: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(act, Math.min(Math.max(1, Math.ceil(delay)), LONGEST_TIMER));
  }
}

const isOf = (error: unknown, code: WssessError['code']) => error instanceof WssessError && error.code === code;
const isLeaseLost = (error: unknown) => isOf(error, 'lease_lost');
