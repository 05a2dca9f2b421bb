/** One session's acknowledgements and transactions (1.2 "ACK", "NACK", "BEGIN", "COMMIT", "ABORT"). Knows no connection. */
import { CLOSE, Refusal } from '../refusal.ts';
import type { Frame } from '../stomp/frame.ts';
import { quote } from '../stomp/protocol-error.ts';
import type { Pace } from './client.ts';
import type { Target } from './destinations.ts';
import { weightOf } from './limits.ts';
import { together } from './other-nodes.ts';
import type { Queued } from './queue.ts';
import type { AckMode } from './subscriptions.ts';
import { type TransactionLimits, Transactions } from './transactions.ts';
import { type Delivery, Unacked } from './unacked.ts';

/** What is kept of a message until it is acknowledged: of a queue all of it, of others only its id. */
export interface Held<Sub> {
  readonly id: string;
  readonly queued?: Queued<Sub, Frame>;
}

/** A message on its way, allowed and not yet sent. */
export interface Send {
  readonly kind: 'send';
  readonly target: Exclude<Target, { kind: 'unserved' }>;
  readonly frame: Frame;
}

interface Settle<Sub> {
  readonly kind: 'settle';
  readonly taken: readonly Delivery<Sub, Held<Sub>>[];
  readonly accepted: boolean;
}

/** How ACK and NACK name a message: by the header ack of 1.2, or by its message-id, of 1.1 with the subscription. */
export type Named = { ack: string } | { messageId: string; subscription: string | undefined };

/** What an ACK or NACK in a transaction counts for. */
const STEP_BYTES = 512;

/** Milliseconds of a COMMIT in one turn of the event loop. */
const TURN = 25;

/** The rest of the broker. */
export interface Surroundings<Sub> {
  limits: TransactionLimits & { maxUnacked: number };
  pace: Pace;
  queues: {
    /** @throws Refusal unless all can be sent, when these are acknowledged */
    check(sends: readonly Send[], acknowledged: readonly Delivery<Sub, Held<Sub>>[]): void;
    acknowledged(deliveries: readonly Delivery<Sub, Held<Sub>>[]): void;
    refused(deliveries: readonly Delivery<Sub, Held<Sub>>[]): void;
    /** Whoever had them is gone. */
    lost(deliveries: readonly Delivery<Sub, Held<Sub>>[]): void;
  };
  /** The subscription of this id. */
  find(id: string): Sub | undefined;
  /** When to ask again whether one can send there; undefined: now. */
  roomAt(target: Target): Promise<void> | undefined;
  /** Sends what was checked. @returns resolves when other nodes have it too */
  send(send: Send): Promise<void> | undefined;
  /** There is room for unacknowledged messages again. */
  eased(): void;
}

export class Desk<Sub extends { readonly ack: AckMode }> {
  readonly unacked = new Unacked<Sub, Held<Sub>>();
  readonly #surroundings: Surroundings<Sub>;
  readonly #transactions: Transactions<Send | Settle<Sub>>;

  constructor(surroundings: Surroundings<Sub>) {
    this.#surroundings = surroundings;
    this.#transactions = new Transactions(surroundings.limits);
  }

  /** No more can be given before something is acknowledged. */
  get full(): boolean {
    return this.unacked.size >= this.#surroundings.limits.maxUnacked;
  }

  /** @throws Refusal for a transaction that is open, or one too many */
  begin(transaction: string): void {
    this.#transactions.begin(transaction);
  }

  /** Keeps a message until the transaction ends. @throws Refusal when it isn't open, or holds too much */
  keep(transaction: string, send: Send): void {
    this.#transactions.add(transaction, send, weightOf(send.frame));
  }

  /**
   * Does all that the transaction holds, in its order, or nothing. What takes long, or is for those who are behind, is
   * done in pieces, so that others have their turns of the event loop and nobody gets more than he takes: whoever commits
   * is not to be listened to before it is done.
   * @returns done: when, undefined if it is; sent: as of Broker's send, of all that was sent
   * @throws Refusal when it can't be done
   */
  commit(transaction: string): { done: Promise<void> | undefined; sent: () => Promise<void> | undefined } {
    const all = this.#transactions.steps(transaction);
    this.#surroundings.queues.check(
      all.filter((step) => step.kind === 'send'),
      all.flatMap((step) => (step.kind === 'settle' && step.accepted ? step.taken : [])),
    );
    const steps = this.#transactions.take(transaction);
    const sent: (Promise<void> | undefined)[] = [];
    return { done: this.#doAll(steps, 0, sent), sent: () => together(sent) };
  }

  #doAll(
    steps: readonly (Send | Settle<Sub>)[],
    from: number,
    sent: (Promise<void> | undefined)[],
  ): Promise<void> | undefined {
    const { pace, roomAt, send } = this.#surroundings;
    const end = performance.now() + TURN;
    for (let at = from; at < steps.length; at++) {
      const step = steps[at]!;
      if (at > from && performance.now() >= end) {
        return new Promise<void>((next) => setImmediate(next)).then(() => this.#doAll(steps, at, sent));
      }
      if (step.kind === 'settle') {
        this.#settle(step);
        continue;
      }
      const wait = pace.active ? roomAt(step.target) : undefined;
      if (wait) return wait.then(() => this.#doAll(steps, at, sent));
      const { result, room } = pace.watch(() => send(step));
      sent.push(result);
      if (room) return room.then(() => this.#doAll(steps, at + 1, sent));
    }
    return undefined;
  }

  /** What was sent is forgotten, what was acknowledged is not. @throws Refusal when there is no such transaction */
  abort(transaction: string): void {
    this.#undo(this.#transactions.take(transaction));
  }

  /**
   * ACK, or NACK. In mode client it means all that the subscription got until then (1.1 and 1.2 "SUBSCRIBE"; 1.0 knows
   * no cumulative ACK). In a transaction no other ACK can mean these messages, until it is aborted.
   * @throws Refusal for what is not there to be acknowledged, or a transaction that isn't open
   */
  acknowledge(named: Named, accepted: boolean, cumulates: boolean, transaction: string | undefined): void {
    if (transaction !== undefined) this.#transactions.check(transaction, STEP_BYTES);
    const delivery = this.#find(named);
    if (!delivery) {
      const id = 'ack' in named ? named.ack : named.messageId;
      throw new Refusal(
        `there is no message ${quote(id)} to acknowledge`,
        'It was acknowledged already, its subscription is gone, or the ack mode of that is auto.',
        CLOSE.protocol,
      );
    }
    const taken = this.unacked.take(delivery, cumulates && delivery.subscription.ack === 'client');
    const settle = { kind: 'settle' as const, taken, accepted };
    if (transaction === undefined) this.#settle(settle);
    else this.#transactions.add(transaction, settle, STEP_BYTES);
  }

  /** Subscriptions ended: what they had and nobody acknowledged is lost to them. */
  drop(subscriptions: readonly Sub[]): void {
    this.#ease(() => this.#surroundings.queues.lost(subscriptions.flatMap((one) => this.unacked.drop(one))));
  }

  /** The session ended: its subscriptions, and its transactions. */
  close(subscriptions: readonly Sub[]): void {
    const lost = subscriptions.flatMap((one) => this.unacked.drop(one));
    this.#surroundings.queues.lost([...lost, ...this.unacked.giveBack(takenBy(this.#transactions.takeAll()))]);
  }

  #find(named: Named): Delivery<Sub, Held<Sub>> | undefined {
    if ('ack' in named) return this.unacked.byAck(named.ack);
    if (named.subscription === undefined) return this.unacked.byMessage(named.messageId);
    const subscription = this.#surroundings.find(named.subscription);
    return subscription && this.unacked.bySubscription(subscription, named.messageId);
  }

  #settle({ taken, accepted }: Settle<Sub>): void {
    this.#ease(() => {
      this.unacked.settle(taken);
      if (accepted) this.#surroundings.queues.acknowledged(taken);
      else this.#surroundings.queues.refused(taken);
    });
  }

  #undo(steps: readonly (Send | Settle<Sub>)[]): void {
    this.#ease(() => this.#surroundings.queues.lost(this.unacked.giveBack(takenBy(steps))));
  }

  /** Queues stop at a session that is full; they hear when it isn't any more. */
  #ease(act: () => void): void {
    const wasFull = this.full;
    act();
    if (wasFull && !this.full) this.#surroundings.eased();
  }
}

function takenBy<Sub>(steps: readonly (Send | Settle<Sub>)[]): Delivery<Sub, Held<Sub>>[] {
  return steps.flatMap((step) => (step.kind === 'settle' ? step.taken : []));
}
