/**
 * This node's lease: taken at start, renewed every 2 s, given back at the end. One that ran out is taken again. While another
 * process has it nothing can be done but wait; once that one renews it, it lives, and this one has lost its name for good.
 */
import { lineOf, WssessError } from '../../common/errors.ts';
import { LEASE, type NodeInfo, type Nodes, nameLost, nameTaken, RENEW_EVERY } from '../../sessions/nodes.ts';
import type { Log } from '../log.ts';

/** A moment by both clocks: one stands still while the machine is suspended, the other is set by people. Milliseconds. */
export interface Moment {
  monotonic: number;
  /** Since 1970. */
  wall: number;
}

const now = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/** Milliseconds since then, by the clock that says more. */
export function since({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}

/** Milliseconds between looks at a lease that another process still holds. */
const LOOK_AGAIN = 250;
/** Milliseconds that a lease must end later than when it was seen first, so that it was renewed: clocks aren't exact. */
const RENEWED_BY = 500;

/** Who is told what became of it. */
export interface Tenant {
  /** It was taken or renewed. */
  renewed(): void;
  /**
   * It is held again after it was found missing (Redis came back empty, or this process was away for too long) or could not
   * be renewed (Redis may be another by now).
   * @param heldBefore when it was last held
   */
  regained(heldBefore: Moment): void;
  /** Another process lives under this name. Told once; nothing is renewed any more. */
  replaced(why: WssessError): void;
}

export class Lease {
  readonly #nodes: Nodes;
  readonly #info: () => NodeInfo;
  readonly #log: Log;
  readonly #tenant: Tenant;
  #timer: NodeJS.Timeout | undefined;
  #lastHeld = now();
  /** On the monotonic clock. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** Redis takes no new session, though it keeps the lease. */
  #refused = false;
  #renewing: Promise<void> | undefined;
  #trouble = '';
  /** When the lease of another process ends at the latest, as it was seen first. On the monotonic clock. */
  #othersEnd: number | undefined;
  #isReplaced = false;

  /** @param info what the node says of itself, asked for at each renewal */
  constructor(nodes: Nodes, info: () => NodeInfo, log: Log, tenant: Tenant) {
    this.#nodes = nodes;
    this.#info = info;
    this.#log = log;
    this.#tenant = tenant;
  }

  /** True while Redis holds it for this process, as far as can be known here. */
  get held(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** Why no session can be registered, as far as can be known here; undefined: it can. */
  get trouble(): string | undefined {
    if (!this.held) return 'the lease is not held';
    return this.#refused ? 'Redis takes no new sessions' : undefined;
  }

  /** When it was held for certain. */
  get lastHeld(): Moment {
    return this.#lastHeld;
  }

  /**
   * Takes the lease. One that a process of the same name left behind when it died is waited for, up to its 8 s.
   * @throws WssessError `node_name_taken` when that process lives and renews it, `schema_newer`
   */
  async take(): Promise<void> {
    const patience = performance.now() + LEASE + 2 * LOOK_AGAIN;
    for (let left = await this.#hold(); typeof left === 'number'; left = await this.#hold()) {
      if (performance.now() > patience) throw nameTaken(this.#info().name);
      if (this.#trouble === '')
        this.#log.info(`waiting up to ${LEASE / 1000} s for the lease of an earlier ${this.#info().name} to end`);
      this.#trouble = 'waiting';
      await new Promise((wake) => setTimeout(wake, Math.min(left, LOOK_AGAIN)));
    }
    this.#trouble = '';
    this.#timer = setInterval(() => this.renew(), RENEW_EVERY);
  }

  /** Renews now; several callers share one renewal. Never rejects: trouble is logged, once. */
  renew(): Promise<void> {
    if (this.#isReplaced) return Promise.resolve();
    const before = this.#lastHeld;
    this.#renewing ??= this.#hold()
      .then((got) => {
        const wasTroubled = this.#trouble !== '';
        this.#told(typeof got === 'number' ? 'another process holds it' : '');
        if (typeof got !== 'number') {
          void this.#probe();
          this.#tenant.renewed();
        }
        if (got === 'new' || (got === 'renewed' && wasTroubled)) this.#tenant.regained(before);
      })
      .catch((error: unknown) => {
        // That the layout is newer takes the lease away; of other trouble it may outlive.
        if (error instanceof WssessError && error.code === 'schema_newer') this.#heldUntil = Number.NEGATIVE_INFINITY;
        this.#told(lineOf(error));
      })
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  /** Renews with what holds now: a renewal that is under way may have been told before. */
  async tell(): Promise<void> {
    await this.#renewing;
    await this.renew();
  }

  /** Gives it back. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    await this.#nodes.release(this.#info());
  }

  async #hold(): Promise<'new' | 'renewed' | number> {
    const asked = now();
    const got = await this.#nodes.hold(this.#info());
    const isHeld = typeof got !== 'number';
    if (isHeld) this.#lastHeld = asked;
    this.#heldUntil = isHeld ? asked.monotonic + LEASE : Number.NEGATIVE_INFINITY;
    if (isHeld) this.#othersEnd = undefined;
    else if (this.#timer) this.#seeAnother(asked.monotonic + got, performance.now() + got);
    return got;
  }

  /** Of a process that died the lease ends when it was seen to; one that lives has renewed it by now. */
  #seeAnother(endsEarliest: number, endsLatest: number): void {
    this.#othersEnd ??= endsLatest;
    if (this.#isReplaced || endsEarliest < this.#othersEnd + RENEWED_BY) return;
    this.#isReplaced = true;
    clearInterval(this.#timer);
    this.#tenant.replaced(nameLost(this.#info().name));
  }

  /** The lease is taken by a Redis that is full, too; a register is not. */
  async #probe(): Promise<void> {
    const refusal = await this.#nodes.checkRegister(this.#info()).then(() => '', lineOf);
    if (refusal && !this.#refused) this.#log.warn(`Redis takes no new sessions: ${refusal}`);
    if (!refusal && this.#refused) this.#log.info('Redis takes new sessions again');
    this.#refused = refusal !== '';
  }

  #told(trouble: string): void {
    if (trouble === this.#trouble) return;
    if (trouble) this.#log.warn(`the lease is not renewed: ${trouble}`);
    else this.#log.info('the lease is renewed again');
    this.#trouble = trouble;
  }
}

/** True when asking again later may help: Redis is away, or the lease is being taken again. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof WssessError &&
    ['redis_unreachable', 'redis_refused', 'redis_denied', 'lease_lost', 'changed_meanwhile'].includes(error.code)
  );
}
