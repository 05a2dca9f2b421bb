/** Takes messages and subscriptions, and brings the ones to the others. Acknowledgements and transactions: desk.ts. */
import { CLOSE, Refusal } from '../refusal.ts';
import type { Frame } from '../stomp/frame.ts';
import { quote } from '../stomp/protocol-error.ts';
import { Addressees } from './addressees.ts';
import { Clogged } from './clogged.ts';
import { deliver, type Recipient } from './deliver.ts';
import { deliverAcked } from './deliver-acked.ts';
import { Desk, type Held, type Send } from './desk.ts';
import { parseSource, parseTarget, type Target } from './destinations.ts';
import { type BrokerOptions, weightOf } from './limits.ts';
import type { Audience, OtherNodes, Shared } from './other-nodes.ts';
import type { Queued } from './queue.ts';
import { Queues } from './queues.ts';
import { type Receivers, receiversOf } from './receivers.ts';
import { type AckMode, type Subscription, Subscriptions } from './subscriptions.ts';
import type { Delivery } from './unacked.ts';

/** What the broker sees of a connection. */
export interface Client extends Recipient {
  readonly id: string;
  readonly user: string;
  readonly role: string | null;
  /** So much waits for it already that what can wait elsewhere should. */
  readonly clogged: boolean;
  /** It is behind, and its senders wait for it: until when. */
  readonly waitedFor: Promise<void> | undefined;
  /** Ends it: it is behind with its acknowledgements. */
  overrun(reason: string, advice: string): void;
}

type Sub = Subscription<Client>;

export class Broker {
  readonly #options: BrokerOptions & { maxSubscriptions: number };
  readonly #incarnation: string;
  readonly #subscriptions = new Subscriptions<Client>();
  readonly #addressees = new Addressees<Client>();
  readonly #queues: Queues<Sub, Frame>;
  readonly #others: OtherNodes;
  /** Of those that acknowledge, or have used a transaction. */
  readonly #desks = new Map<Client, Desk<Sub>>();
  /** Queues that wait for a clogged consumer. */
  readonly #clogged = new Clogged((names) => this.#wake(names));
  /** Since the start of the process: SEND frames that were accepted, MESSAGE frames that they became. */
  readonly counters = { messages_in: 0, messages_out: 0 };

  /**
   * @param incarnation makes message ids unique over restarts
   * @param dropped is told when messages of a queue are lost
   * @param others get what is sent to more than this node
   */
  constructor(
    incarnation: string,
    options: BrokerOptions & { maxSubscriptions: number },
    dropped: (queue: string, count: number, why: string) => void,
    others: OtherNodes,
  ) {
    this.#incarnation = incarnation;
    this.#options = options;
    this.#others = others;
    this.#queues = new Queues({
      limits: options,
      now: () => performance.now(),
      takes: (consumer) => this.#takes(consumer),
      give: (message, consumer) => this.#give(message, consumer),
      dropped,
    });
  }

  /**
   * Sends a message, or keeps it until its transaction is committed.
   * @returns resolves, never rejects, when other nodes have it too or it is lost to them; undefined: nothing to wait for
   * @throws Refusal for a destination that isn't served or not for this client, a transaction that isn't open, a full queue
   */
  send(client: Client, destination: string, frame: Frame, transaction: string | undefined): Promise<void> | undefined {
    const send = { kind: 'send' as const, target: this.#permitted(client, destination), frame };
    if (transaction !== undefined) {
      this.desk(client).keep(transaction, send);
      return undefined;
    }
    this.#queues.check(offerOf(send));
    return this.#sendOne(send);
  }

  /**
   * Whether somebody waits already for one of those who would get a message now: then it comes later, else many senders,
   * a message each, would be too much for who takes each of them.
   * @returns when to ask again; undefined: now
   */
  roomAt(destination: string): Promise<void> | undefined {
    return this.#roomOf([parseTarget(destination)]);
  }

  /** The same for all that a transaction would send. */
  roomForCommit(client: Client, transaction: string): Promise<void> | undefined {
    return this.#roomOf(this.#desks.get(client)?.targets(transaction) ?? []);
  }

  #roomOf(targets: readonly Target[]): Promise<void> | undefined {
    for (const target of targets) {
      // A queue gives nothing to who is behind.
      if (target.kind === 'queue' || target.kind === 'unserved') continue;
      for (const subscriptions of Object.values(this.#receivers(target))) {
        for (const { subscriber } of subscriptions) if (subscriber.waitedFor) return subscriber.waitedFor;
      }
    }
    return undefined;
  }

  /** A message that another node's client sent, and that node has allowed. */
  receive({ target, id, frame }: { target: Shared; id: string; frame: Frame }): void {
    this.#fanOut(frame, target, id);
  }

  /** When there is room for more messages to other nodes; undefined while there is. */
  get room(): Promise<void> | undefined {
    return this.#others.room;
  }

  /**
   * @returns as of `send`: when what is sent on other nodes surely arrives
   * @throws Refusal for a destination that isn't served, an id in use, too many subscriptions
   */
  subscribe(client: Client, destination: string, id: string | undefined, ack: AckMode): Promise<void> | undefined {
    const source = parseSource(destination);
    if (source.kind === 'unserved') throw new Refusal(source.why, source.advice);
    const { maxSubscriptions } = this.#options;
    if (this.#subscriptions.count(client) >= maxSubscriptions) {
      throw new Refusal(`more than ${maxSubscriptions} subscriptions`, 'Unsubscribe from some first.');
    }
    const subscription: Sub = { subscriber: client, destination: source.name, id, ack, head: undefined };
    if (!this.#subscriptions.add(subscription)) {
      throw new Refusal(`the subscription ${quote(id ?? destination)} exists already`, '', CLOSE.protocol);
    }
    if (ack !== 'auto') this.desk(client).unacked.open(subscription);
    if (source.kind === 'own') this.#addressees.add(client);
    const audience = audienceOf(subscription);
    if (audience) return this.#others.watch(audience);
    this.#queues.join(source.name, subscription);
    return undefined;
  }

  /** By id; without one, all that are to the destination (1.0 "UNSUBSCRIBE"). @throws Refusal when there is none */
  unsubscribe(client: Client, id: string | undefined, destination: string | undefined): void {
    const found =
      id === undefined
        ? this.#subscriptions.ofSubscriber(client).filter((one) => one.destination === destination)
        : this.#subscriptions.find(client, id);
    const subscriptions = [found ?? []].flat();
    if (subscriptions.length === 0) {
      throw new Refusal(`there is no subscription ${quote(id ?? destination ?? '')}`, '', CLOSE.protocol);
    }
    for (const subscription of subscriptions) this.#drop(subscription);
    this.#desks.get(client)?.drop(subscriptions);
  }

  /** Its connection ended: what it had not acknowledged goes to others, its transactions are aborted. */
  forget(client: Client): void {
    const subscriptions = this.#subscriptions.ofSubscriber(client);
    for (const subscription of subscriptions) this.#drop(subscription);
    this.#addressees.remove(client);
    const desk = this.#desks.get(client);
    this.#desks.delete(client);
    desk?.close(subscriptions);
  }

  destinationsOf(client: Client): string[] {
    return this.#subscriptions.ofSubscriber(client).map(({ destination }) => destination);
  }

  /** Where a client acknowledges, and has its transactions. */
  desk(client: Client): Desk<Sub> {
    let desk = this.#desks.get(client);
    if (!desk) {
      desk = new Desk({
        limits: this.#options,
        find: (id) => this.#subscriptions.find(client, id),
        send: (one) => this.#sendOne(one),
        check: (sends) => this.#queues.check(sends.flatMap(offerOf)),
        acknowledged: (deliveries) => {
          for (const { subscription, message } of deliveries) {
            if (message.queued) this.#queues.done(subscription.destination, message.queued);
          }
        },
        refused: (deliveries) => this.#return(deliveries, (name, all, by) => this.#queues.refused(name, all, by)),
        lost: (deliveries) => this.#return(deliveries, (name, all) => this.#queues.putBack(name, all)),
        eased: () => this.#wake(this.#subscriptions.ofSubscriber(client).map(({ destination }) => destination)),
      });
      this.#desks.set(client, desk);
    }
    return desk;
  }

  #permitted({ role }: Client, destination: string): Exclude<Target, { kind: 'unserved' }> {
    const target = parseTarget(destination);
    if (target.kind === 'unserved') throw new Refusal(target.why, target.advice);
    const open = target.kind === 'topic' || target.kind === 'queue';
    if (!open && (role === null || !this.#options.sendRoles.has(role))) {
      throw new Refusal(
        `your role may not send to ${quote(destination)}`,
        'Only the roles of --send-roles may send to a user, a session, or everyone.',
      );
    }
    return target;
  }

  /** There is room for it. @returns as `send` */
  #sendOne({ target, frame }: Send): Promise<void> | undefined {
    const number = ++this.counters.messages_in;
    const id = `${this.#incarnation}-${number}`;
    if (target.kind === 'queue') {
      this.#queues.push(target.name, id, frame, weightOf(frame));
      return undefined;
    }
    const isHere = target.kind === 'session' && this.#addressees.ofSession(target.session).length > 0;
    this.#fanOut(frame, target, id);
    return isHere ? undefined : this.#others.publish(target, number, frame);
  }

  #fanOut(frame: Frame, target: Shared, id: string): void {
    const { auto, acking } = this.#receivers(target);
    this.counters.messages_out += deliver(frame, target.name, id, auto);
    for (const subscription of acking) this.#hand(frame, subscription, { id });
  }

  #receivers(target: Shared): Receivers<Client> {
    return receiversOf(target, this.#subscriptions, this.#addressees);
  }

  /** To a subscription that acknowledges. One that is not of a queue can't be left waiting: it is ended. */
  #hand(frame: Frame, subscription: Sub, held: Held<Sub>): void {
    const { subscriber } = subscription;
    const desk = this.#desks.get(subscriber);
    if (!desk) return; // it has just ended
    if (!held.queued && desk.full) {
      const { maxUnacked } = this.#options;
      subscriber.overrun(
        `more than ${maxUnacked} messages without ACK`,
        'Acknowledge what arrives, or subscribe with ack:auto.',
      );
      return;
    }
    const { ack } = desk.unacked.add(subscription, held);
    this.counters.messages_out++;
    deliverAcked(frame, held.id, ack, subscription);
  }

  #takes({ subscriber, ack, destination }: Sub): boolean {
    if (ack !== 'auto' && this.#desks.get(subscriber)?.full) return false;
    if (!subscriber.clogged) return true;
    this.#clogged.add(destination);
    return false;
  }

  #give(message: Queued<Sub, Frame>, consumer: Sub): boolean {
    if (consumer.ack === 'auto') {
      this.counters.messages_out += deliver(message.content, consumer.destination, message.id, [consumer]);
      return true;
    }
    this.#hand(message.content, consumer, { id: message.id, queued: message });
    return false;
  }

  /** Gives deliveries back to their queues; those of other destinations were copies, and are forgotten. */
  #return(
    deliveries: readonly Delivery<Sub, Held<Sub>>[],
    take: (queue: string, messages: Queued<Sub, Frame>[], by: Sub) => void,
  ): void {
    const bySubscription = new Map<Sub, Queued<Sub, Frame>[]>();
    for (const { subscription, message } of deliveries) {
      if (!message.queued) continue;
      const all = bySubscription.get(subscription) ?? [];
      all.push(message.queued);
      bySubscription.set(subscription, all);
    }
    for (const [subscription, all] of bySubscription) take(subscription.destination, all, subscription);
  }

  #drop(subscription: Sub): void {
    this.#subscriptions.remove(subscription);
    const audience = audienceOf(subscription);
    if (audience) this.#others.unwatch(audience);
    this.#queues.leave(subscription.destination, subscription);
  }

  #wake(destinations: readonly string[]): void {
    for (const name of new Set(destinations)) this.#queues.wake(name);
  }
}

function offerOf({ target, frame }: Send): { queue: string; bytes: number }[] {
  return target.kind === 'queue' ? [{ queue: target.name, bytes: weightOf(frame) }] : [];
}

/** Of other nodes' messages; those of a queue stay on theirs. */
function audienceOf({ destination, subscriber }: Sub): Audience | undefined {
  const source = parseSource(destination);
  if (source.kind === 'topic') return { kind: source.kind, name: source.name };
  return source.kind === 'own' ? { kind: source.kind, user: subscriber.user } : undefined;
}
