/**
 * Messages between nodes, over Redis (docs/decisions/0007-messages-between-nodes.md). What this node's clients send is
 * published once, and Redis hands it to the nodes that listen; what those publish is delivered here. Nothing is kept for a
 * Redis that is away: what could not be given to other nodes is lost to them, and the log says so.
 */

import { WssessError } from '../../common/errors.ts';
import type { Address, Bus } from '../../sessions/bus.ts';
import type { Audience, OtherNodes, Shared } from '../broker/other-nodes.ts';
import { together } from '../broker/other-nodes.ts';
import type { Frame } from '../stomp/frame.ts';
import type { Limits } from '../stomp/parser.ts';
import { quote } from '../stomp/protocol-error.ts';
import { pack, type Received, stampOf, Unreadable, unpack } from './envelope.ts';

/** Bytes that may be on their way to Redis before senders wait. */
const MOST = 1024 * 1024;
/** Bytes that a message counts for beside its own. */
const OVERHEAD = 256;

export interface Surroundings {
  bus: Pick<Bus, keyof Bus>;
  incarnation: string;
  limits: Limits;
  /** Tells of each kind of trouble once in a while. */
  warn(kind: string, message: string): void;
  /** A fault of ours. */
  fault(error: unknown): void;
}

/** What goes to Redis in one write. */
interface Batch {
  readonly messages: [channel: string, message: Buffer][];
  bytes: number;
  readonly done: Promise<void>;
}

export class Relay implements OtherNodes {
  readonly #surroundings: Surroundings;
  readonly #stamp: Buffer;
  #listener: Awaited<ReturnType<Bus['listen']>> | undefined;
  /** What is published in this turn of the event loop. */
  #batch: Batch | undefined;
  /** The last batch, and with it all before. */
  #last: Promise<void> | undefined;
  /** On their way to Redis. */
  #bytes = 0;
  #room: { promise: Promise<void>; resolve(): void } | undefined;
  /** The last attempt failed: nobody waits, and one message at a time tries whether Redis is back. */
  #away = false;
  #lost = 0;
  #unreadable = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#stamp = stampOf(surroundings.incarnation);
    surroundings.bus.onReady(() => {
      this.#away = false;
    });
  }

  /**
   * Hears other nodes from here on.
   * @param receive delivers a message of another node
   * @throws WssessError
   */
  async start(receive: (received: Received) => void): Promise<void> {
    const { bus, incarnation, warn, fault } = this.#surroundings;
    this.#listener = await bus.listen([bus.channelOf({ kind: 'process', incarnation })], {
      heard: (channel, message) => {
        try {
          const received = this.#read(channel, message);
          if (received) receive(received);
        } catch (error) {
          fault(error);
        }
      },
      lost: (error) => warn('relay deaf', `messages of other nodes do not arrive: ${error.message}`),
      regained: () => warn('relay back', 'messages of other nodes arrive again; those in between are lost'),
    });
  }

  /** Ends the listening. Resolves when what was published is with Redis, or lost. */
  async stop(): Promise<void> {
    this.#listener?.close();
    await this.#last;
  }

  publish(target: Shared, number: number, frame: Frame): Promise<void> | undefined {
    const { bus } = this.#surroundings;
    if (this.#away && (this.#bytes > 0 || !bus.ready)) {
      this.#lose(1);
      return undefined;
    }
    const wasAway = this.#away;
    const message = pack(this.#stamp, number, target, frame);
    const given =
      target.kind === 'session' ? this.#giveToOne(target.session, message) : this.#give(bus.channelOf(target), message);
    return wasAway ? undefined : given;
  }

  get room(): Promise<void> | undefined {
    if (this.#bytes <= MOST) return undefined;
    if (!this.#room) {
      let resolve = () => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  watch(audience: Audience): Promise<void> | undefined {
    return together(this.#channelsOf(audience).map((channel) => this.#listener?.watch(channel)));
  }

  unwatch(audience: Audience): void {
    for (const channel of this.#channelsOf(audience)) this.#listener?.unwatch(channel);
  }

  /** The channel for single sessions is listened to all the time. */
  #channelsOf(audience: Audience): string[] {
    const addresses: Address[] =
      audience.kind === 'topic' ? [audience] : [{ kind: 'user', user: audience.user }, { kind: 'all' }];
    return addresses.map((address) => this.#surroundings.bus.channelOf(address));
  }

  /** Publishes at the end of this turn, with what else is published in it: one write. */
  #give(channel: string, message: Buffer): Promise<void> {
    const batch = this.#batch ?? this.#begin();
    batch.messages.push([channel, message]);
    const bytes = message.length + OVERHEAD;
    batch.bytes += bytes;
    this.#bytes += bytes;
    return batch.done;
  }

  #begin(): Batch {
    const done = new Promise<void>((resolve) => {
      setImmediate(() => {
        this.#batch = undefined;
        void this.#send(batch).then(resolve);
      });
    });
    const batch: Batch = { messages: [], bytes: 0, done };
    this.#batch = batch;
    this.#last = done;
    return batch;
  }

  async #send({ messages, bytes }: Batch): Promise<void> {
    try {
      await this.#surroundings.bus.publish(messages);
      this.#away = false;
    } catch (error) {
      this.#failed(messages.length, error);
    }
    this.#release(bytes);
  }

  /** To the process that has the session, if that is another one. */
  async #giveToOne(session: string, message: Buffer): Promise<void> {
    const { bus, incarnation: own } = this.#surroundings;
    let given: Promise<void> | undefined;
    const bytes = message.length + OVERHEAD;
    this.#bytes += bytes;
    try {
      const incarnation = await bus.processOf(session);
      if (incarnation !== undefined && incarnation !== own) {
        given = this.#give(bus.channelOf({ kind: 'process', incarnation }), message);
      }
    } catch (error) {
      this.#failed(1, error);
    }
    this.#release(bytes);
    await given;
  }

  #release(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes > MOST / 2) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #failed(messages: number, error: unknown): void {
    if (!(error instanceof WssessError)) this.#surroundings.fault(error);
    else if (error.code === 'redis_unreachable') this.#away = true;
    this.#lose(messages, error);
  }

  #lose(messages: number, why?: unknown): void {
    this.#lost += messages;
    const reason = why instanceof Error ? `: ${why.message}` : '';
    this.#surroundings.warn('relay lost', `messages do not reach other nodes, ${this.#lost} so far${reason}`);
  }

  /** @returns undefined for one of our own, and for what is none */
  #read(channel: Buffer, message: Buffer): Received | undefined {
    if (message.subarray(0, this.#stamp.length).equals(this.#stamp)) return undefined;
    const { bus, incarnation, limits, warn } = this.#surroundings;
    try {
      const received = unpack(message, limits);
      const { target } = received;
      const address: Address = target.kind === 'session' ? { kind: 'process', incarnation } : target;
      // Who may PUBLISH to one channel only speaks to no other one's audience.
      if (!channel.equals(Buffer.from(bus.channelOf(address)))) throw new Unreadable('it is to another channel');
      return received;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const so = `${++this.#unreadable} so far`;
      warn('relay unreadable', `a message on ${quote(channel.toString())} can't be read, ${so}: ${error.message}`);
      return undefined;
    }
  }
}
