/** Puts the parts together: listens, makes a connection of each socket, drains at the end. */
import type { WssessError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import type { DrainAsks, DrainState } from '../sessions/control.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { guardOf } from './app/access.ts';
import type { Guard } from './app/guard.ts';
import { Broker } from './broker/broker.ts';
import { BackPressure } from './connection/back-pressure.ts';
import { Connection } from './connection/connection.ts';
import type { Ending, Surroundings } from './connection/surroundings.ts';
import { Turns } from './connection/turns.ts';
import { isLoopback } from './doorkeeper.ts';
import { Entrance } from './entrance.ts';
import { Identity } from './identity.ts';
import { Faults, type Log, makeLog } from './log.ts';
import { answering } from './membership/answering.ts';
import { Draining } from './membership/draining.ts';
import { REPLACED } from './membership/endings.ts';
import { Lease } from './membership/lease.ts';
import { Load } from './membership/load.ts';
import { Members } from './membership/members.ts';
import { Sweeper } from './membership/sweeper.ts';
import { type ServerOptions, serverOptions } from './options.ts';
import { CLOSE, Refusal } from './refusal.ts';
import { Relay } from './relay/relay.ts';
import { restHandler } from './rest/rest.ts';
import { quote } from './stomp/protocol-error.ts';

export { makeLog, serverOptions };

export class Server {
  readonly #options: ServerOptions;
  readonly #sessions: Sessions;
  readonly #log: Log;
  readonly #faults: Faults;
  readonly #identity = new Identity();
  readonly #load = new Load();
  readonly #guard: Guard;
  readonly #broker: Broker;
  readonly #relay: Relay;
  readonly #members: Members;
  readonly #lease: Lease;
  readonly #sweeper: Sweeper;
  readonly #draining: Draining;
  readonly #entrance: Entrance;
  /** Until it is told to end. Then it is `draining`, as one is that an operator drains. */
  #state: 'starting' | 'open' | 'draining' = 'starting';
  #stopListening = () => {};
  #stopped: Promise<void> | undefined;
  /** Resolves when another process has taken the name of this node: this one stops by itself then. */
  readonly replaced: Promise<WssessError>;

  constructor(options: ServerOptions, sessions: Sessions, log: Log) {
    this.#options = options;
    this.#sessions = sessions;
    this.#log = log;
    this.#faults = new Faults(log);
    const { incarnation } = this.#identity;
    const fault = (error: unknown) => this.#faults.tell(error);
    const { limits, maxBuffer, connectTimeout, heartBeat, maxSubscriptions, access } = options;
    this.#guard = guardOf(access, fault);
    this.#relay = new Relay({
      bus: sessions.bus,
      incarnation,
      limits,
      warn: (kind, message) => this.#faults.warn(kind, message),
      fault,
    });
    const backPressure = new BackPressure(maxBuffer);
    this.#broker = new Broker({
      options: { ...options.broker, maxSubscriptions },
      incarnation,
      others: this.#relay,
      pace: backPressure,
      dropped: (queue, count, why) =>
        this.#faults.warn('queue', `${count} messages of ${quote(queue)} are dropped: ${why}`),
    });
    let replaced: (why: WssessError) => void;
    this.replaced = new Promise((resolve) => {
      replaced = resolve;
    });
    this.#lease = new Lease(sessions.nodes, () => this.#info(), log, {
      renewed: () => void this.#members.lookAhead(),
      regained: (heldBefore) => this.#members.restore(heldBefore),
      replaced: (why) => {
        void this.stop(REPLACED);
        replaced(why);
      },
    });
    this.#members = new Members({
      sessions,
      lease: this.#lease,
      incarnation,
      node: () => this.#identity.node,
      ttl: options.ttl,
      maxUserSessions: options.maxUserSessions,
      acceptUnregistered: options.acceptUnregistered,
      fault,
    });
    this.#sweeper = new Sweeper({ sessions, incarnation, log, fault });
    this.#draining = new Draining({ members: this.#members, lease: this.#lease, log, fault });
    const surroundings: Surroundings = {
      limits,
      maxBuffer,
      backPressure,
      turns: new Turns(),
      connectTimeout,
      services: {
        broker: this.#broker,
        heartBeat,
        guard: this.#guard,
        register: (connection) => this.#register(connection),
      },
      forget: (connection) => this.#forget(connection),
      fault,
    };
    const rest = restHandler({
      sessions,
      ttl: options.ttl,
      allMax: options.restAllMax,
      tokens: access.api,
      loopback: isLoopback(options.host),
      notReady: () => this.#notReady(),
      fault,
    });
    this.#entrance = new Entrance({
      options,
      rest,
      state: () => this.#now,
      open: (transport) => {
        const connection = new Connection(newId(), transport, surroundings);
        this.#members.add(connection);
        return connection;
      },
    });
  }

  get node(): string {
    return this.#identity.node;
  }

  /** Where it listens, as http:// URL. */
  get url(): string {
    return this.#identity.url;
  }

  /**
   * Listens, takes the lease, and answers from then on.
   * @throws WssessError `address_in_use`, `node_name_taken`, `schema_newer`, or of Redis
   */
  async start(): Promise<void> {
    const port = await this.#entrance.listen();
    this.#identity.settle(this.#options.host, port, this.#options.node);
    this.#load.start();
    this.#guard.start();
    try {
      await this.#lease.take();
      await this.#relay.start((received) => this.#broker.receive(received));
      this.#stopListening = await this.#sessions.control.listen(
        this.#identity.incarnation,
        answering({
          connections: this.#members.connections,
          destinationsOf: (connection) => this.#broker.destinationsOf(connection),
          forgetGhost: (id) => this.#members.forgetGhost(id),
          rewrite: (id) => this.#members.rewrite(id),
          drain: (asks) => this.#drain(asks),
          log: this.#log,
        }),
        (error) => this.#faults.tell(error),
      );
    } catch (error) {
      this.#load.stop();
      this.#entrance.close();
      await this.#relay.stop();
      await this.#lease.release().catch(() => {}); // else its timer goes on, and the process with it
      throw error;
    }
    if (this.#stopped) return; // replaced already
    this.#sessions.store.onReady(async () => {
      await this.#lease.renew();
      // The lease may live though writes were lost: a replica that took over may have been behind.
      this.#members.restore(this.#lease.lastHeld);
    });
    this.#sweeper.start();
    this.#state = 'open';
  }

  /**
   * Closes every session with cause `shutdown`, unregisters them, gives the lease back. Later calls wait for the first.
   * @param ending what the clients are told
   */
  stop(ending?: Ending): Promise<void> {
    this.#stopped ??= this.#stop(ending);
    return this.#stopped;
  }

  async #stop(ending?: Ending): Promise<void> {
    this.#state = 'draining';
    this.#draining.end();
    this.#entrance.close();
    await this.#members.drain({ ending });
    if (!(await this.#members.end())) {
      this.#log.warn('Redis did not take the end of all sessions: they count until the lease of this node has ended');
    }
    this.#stopListening();
    await this.#relay.stop();
    await this.#sweeper.stop().catch((error: unknown) => this.#faults.tell(error));
    await this.#lease.release().catch((error: unknown) => this.#faults.tell(error));
    this.#load.stop();
    this.#entrance.clear();
  }

  get #now(): 'starting' | 'open' | 'draining' {
    return this.#draining.active ? 'draining' : this.#state;
  }

  async #drain({ undo, ...how }: DrainAsks): Promise<DrainState> {
    const stopping = this.#state !== 'open';
    const sessions = this.#members.connections.size;
    if (!stopping) await (undo ? this.#draining.undo() : this.#draining.begin(how));
    return { draining: this.#now !== 'open', stopping, sessions };
  }

  async #register(connection: Connection): Promise<void> {
    // A socket that was opened before, and sends its CONNECT now.
    if (this.#now === 'draining') {
      throw new Refusal('the server is draining', 'Connect again: to another node.', CLOSE.shutdown, {}, 'shutdown');
    }
    await this.#members.register(connection);
  }

  async #forget(connection: Connection): Promise<void> {
    this.#broker.forget(connection);
    this.#guard.forget(connection);
    await this.#members.forget(connection);
  }

  #info() {
    return this.#identity.info({
      sessions: this.#members.connections.size,
      draining: this.#now === 'draining' || undefined,
      ...this.#members.counters,
      ...this.#broker.counters,
      ...this.#load.sample(),
    });
  }

  #notReady(): string | undefined {
    if (this.#now !== 'open') return this.#now;
    if (!this.#sessions.store.ready) return 'Redis is not reached';
    return this.#lease.trouble;
  }
}
