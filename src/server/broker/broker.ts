/** Takes messages and subscriptions, and brings the ones to the others. Acknowledgements and transactions: desk.ts. */
import { CLOSE, Refusal } from '../refusal.ts';
import type { Frame } from '../stomp/frame.ts';
import { quote } from '../stomp/protocol-error.ts';
import { Addressees } from './addressees.ts';
import type { Client, Pace, Sub } from './client.ts';
import { Desk, type Send } from './desk.ts';
import { parseSource, parseTarget } from './destinations.ts';
import { Distribution } from './distribution.ts';
import type { BrokerOptions } from './limits.ts';
import type { Audience, OtherNodes, Shared } from './other-nodes.ts';
import { permitted } from './permitted.ts';
import { QueueSide } from './queue-side.ts';
import { type AckMode, Subscriptions } from './subscriptions.ts';

/** What the broker is given. */
export interface Surroundings {
  options: BrokerOptions & { maxSubscriptions: number };
  /** Makes message ids unique over restarts. */
  incarnation: string;
  /** Get what is sent to more than this node. */
  others: OtherNodes;
  pace: Pace;
  /** Messages of a queue were lost, for the operator. */
  dropped(queue: string, count: number, why: string): void;
}

export class Broker {
  readonly #surroundings: Surroundings;
  readonly #subscriptions = new Subscriptions<Client>();
  readonly #addressees = new Addressees<Client>();
  /** Of those that acknowledge, or have used a transaction. */
  readonly #desks = new Map<Client, Desk<Sub>>();
  readonly #distribution: Distribution;
  readonly #queues: QueueSide;
  #accepted = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    const { options, dropped } = surroundings;
    this.#distribution = new Distribution({
      subscriptions: this.#subscriptions,
      addressees: this.#addressees,
      desks: this.#desks,
      maxUnacked: options.maxUnacked,
    });
    this.#queues = new QueueSide(options, this.#distribution, this.#desks, dropped);
  }

  /** Since the start of the process: SEND frames that were accepted, MESSAGE frames that they became. */
  get counters(): { messages_in: number; messages_out: number } {
    return { messages_in: this.#accepted, messages_out: this.#distribution.count };
  }

  /**
   * Sends a message, or keeps it until its transaction is committed.
   * @returns resolves, never rejects, when other nodes have it too or it is lost to them; undefined: nothing to wait for
   * @throws Refusal for a destination that isn't served or not for this client, a transaction that isn't open, a full queue
   */
  send(client: Client, destination: string, frame: Frame, transaction: string | undefined): Promise<void> | undefined {
    const target = permitted(client, destination, this.#surroundings.options.sendRoles);
    const send = { kind: 'send' as const, target, frame };
    if (transaction !== undefined) {
      this.desk(client).keep(transaction, send);
      return undefined;
    }
    this.#queues.check([send]);
    return this.#send(send);
  }

  /**
   * Whether somebody waits already for one of those who would get a message now: then it comes later, else many senders,
   * a message each, would be too much for who takes each of them.
   * @returns when to ask again; undefined: now
   */
  roomAt(destination: string): Promise<void> | undefined {
    return this.#distribution.roomAt(parseTarget(destination));
  }

  /** A message that another node's client sent, and that node has allowed. */
  receive({ target, id, frame }: { target: Shared; id: string; frame: Frame }): void {
    this.#distribution.toAll(frame, target, id);
  }

  /** When there is room for more messages to other nodes; undefined while there is. */
  get room(): Promise<void> | undefined {
    return this.#surroundings.others.room;
  }

  /**
   * @returns as of `send`: when what is sent on other nodes surely arrives
   * @throws Refusal for a destination that isn't served, an id in use, too many subscriptions
   */
  subscribe(client: Client, destination: string, id: string | undefined, ack: AckMode): Promise<void> | undefined {
    const source = parseSource(destination);
    if (source.kind === 'unserved') throw new Refusal(source.why, source.advice);
    const { maxSubscriptions } = this.#surroundings.options;
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
    if (audience) return this.#surroundings.others.watch(audience);
    this.#queues.join(subscription);
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
      const { options, pace } = this.#surroundings;
      desk = new Desk({
        limits: options,
        pace,
        queues: this.#queues,
        find: (id) => this.#subscriptions.find(client, id),
        roomAt: (target) => this.#distribution.roomAt(target),
        send: (one) => this.#send(one),
        eased: () => this.#queues.wake(this.destinationsOf(client)),
      });
      this.#desks.set(client, desk);
    }
    return desk;
  }

  /** There is room for it. @returns as `send` */
  #send({ target, frame }: Send): Promise<void> | undefined {
    const number = ++this.#accepted;
    const id = `${this.#surroundings.incarnation}-${number}`;
    if (target.kind === 'queue') {
      this.#queues.push(target.name, id, frame);
      return undefined;
    }
    const isHere = target.kind === 'session' && this.#addressees.ofSession(target.session).length > 0;
    this.#distribution.toAll(frame, target, id);
    return isHere ? undefined : this.#surroundings.others.publish(target, number, frame);
  }

  #drop(subscription: Sub): void {
    this.#subscriptions.remove(subscription);
    const audience = audienceOf(subscription);
    if (audience) this.#surroundings.others.unwatch(audience);
    this.#queues.leave(subscription);
  }
}

/** Of other nodes' messages; those of a queue stay on theirs. */
function audienceOf({ destination, subscriber }: Sub): Audience | undefined {
  const source = parseSource(destination);
  if (source.kind === 'topic') return { kind: source.kind, name: source.name };
  return source.kind === 'own' ? { kind: source.kind, user: subscriber.user } : undefined;
}
