/** Puts the parts together: listens, makes a connection of each socket, drains at the end. */
import { hostname } from 'node:os';
import { lineOf, WssessError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import { VERSION } from '../common/version.ts';
import type { DrainAsks, DrainState } from '../sessions/control.ts';
import type { NodeInfo } from '../sessions/nodes.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { guardOf } from './app/access.ts';
import type { Guard } from './app/guard.ts';
import { Broker } from './broker/broker.ts';
import { BackPressure } from './connection/back-pressure.ts';
import { Connection } from './connection/connection.ts';
import type { Surroundings } from './connection/surroundings.ts';
import { Turns } from './connection/turns.ts';
import { isLoopback } from './doorkeeper.ts';
import { Entrance } from './entrance.ts';
import { type Log, makeLog, warnSeldom } from './log.ts';
import { answering } from './membership/answering.ts';
import { Draining } from './membership/draining.ts';
import { Lease } from './membership/lease.ts';
import { Load } from './membership/load.ts';
import { Members } from './membership/members.ts';
import { type Restoring, restore } from './membership/restoring.ts';
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
  readonly #incarnation = newId();
  readonly #startedAt = new Date().toISOString();
  readonly #load = new Load();
  readonly #guard: Guard;
  readonly #broker: Broker;
  readonly #relay: Relay;
  readonly #members: Members;
  readonly #lease: Lease;
  readonly #sweeper: Sweeper;
  readonly #draining: Draining;
  readonly #entrance: Entrance;
  readonly #warnSeldom: ReturnType<typeof warnSeldom>;
  /** Until it is told to end. Then it is `draining`, as one is that an operator drains. */
  #state: 'starting' | 'open' | 'draining' = 'starting';
  #stopListening = () => {};
  #node = '';
  /** Where it listens, as http:// URL. */
  url = '';

  constructor(options: ServerOptions, sessions: Sessions, log: Log) {
    this.#options = options;
    this.#sessions = sessions;
    this.#log = log;
    this.#warnSeldom = warnSeldom(log);
    const { limits, maxBuffer, connectTimeout, heartBeat, maxSubscriptions, access } = options;
    this.#guard = guardOf(access, (error) => this.#fault(error));
    this.#relay = new Relay({
      bus: sessions.bus,
      incarnation: this.#incarnation,
      limits,
      warn: this.#warnSeldom,
      fault: (error) => this.#fault(error),
    });
    this.#broker = new Broker(
      this.#incarnation,
      { ...options.broker, maxSubscriptions },
      (queue, count, why) => this.#warnSeldom('queue', `${count} messages of ${quote(queue)} are dropped: ${why}`),
      this.#relay,
    );
    this.#lease = new Lease(
      sessions.nodes,
      () => this.#info(),
      log,
      (heldBefore) => this.#members.restore(heldBefore),
    );
    this.#members = new Members({
      sessions,
      lease: this.#lease,
      incarnation: this.#incarnation,
      node: () => this.#node,
      ttl: options.ttl,
      maxUserSessions: options.maxUserSessions,
      acceptUnregistered: options.acceptUnregistered,
      fault: (error) => this.#fault(error),
    });
    this.#sweeper = new Sweeper({
      sessions,
      incarnation: this.#incarnation,
      log,
      fault: (error) => this.#fault(error),
    });
    this.#draining = new Draining({
      members: this.#members,
      lease: this.#lease,
      log,
      fault: (error) => this.#fault(error),
    });
    const surroundings: Surroundings = {
      limits,
      maxBuffer,
      backPressure: new BackPressure(maxBuffer),
      turns: new Turns(),
      connectTimeout,
      services: {
        broker: this.#broker,
        heartBeat,
        guard: this.#guard,
        register: (connection) => this.#register(connection),
      },
      forget: (connection) => this.#forget(connection),
      fault: (error) => this.#fault(error),
    };
    const rest = restHandler({
      sessions,
      ttl: options.ttl,
      allMax: options.restAllMax,
      tokens: access.api,
      loopback: isLoopback(options.host),
      notReady: () => this.#notReady(),
      fault: (error) => this.#fault(error),
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
    return this.#node;
  }

  /**
   * Listens, takes the lease, and answers from then on.
   * @throws WssessError `address_in_use`, `node_name_taken`, `schema_newer`, or of Redis
   */
  async start(): Promise<void> {
    const port = await this.#entrance.listen();
    const { host } = this.#options;
    this.url = `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
    this.#node = this.#options.node ?? defaultName(port);
    this.#load.start();
    this.#guard.start();
    try {
      await this.#lease.take();
      await this.#relay.start((received) => this.#broker.receive(received));
      this.#stopListening = await this.#sessions.control.listen(
        this.#incarnation,
        answering({
          connections: this.#members.connections,
          destinationsOf: (connection) => this.#broker.destinationsOf(connection),
          forgetGhost: (id) => this.#members.forgetGhost(id),
          restore: (ids) => restore(ids, this.#restoring()),
          drain: (asks) => this.#drain(asks),
        }),
        (error) => this.#fault(error),
      );
    } catch (error) {
      this.#load.stop();
      this.#entrance.close();
      await this.#relay.stop();
      await this.#lease.release().catch(() => {}); // else its timer goes on, and the process with it
      throw error;
    }
    this.#sessions.store.onReady(async () => {
      await this.#lease.renew();
      // The lease may live though writes were lost: a replica that took over may have been behind.
      this.#members.restore(this.#lease.lastHeld);
    });
    this.#sweeper.start();
    this.#state = 'open';
  }

  /** Closes every session with cause `shutdown`, unregisters them, gives the lease back. */
  async stop(): Promise<void> {
    this.#state = 'draining';
    this.#draining.end();
    this.#entrance.close();
    await this.#members.drain();
    if (!(await this.#members.end())) {
      this.#log.warn('Redis did not take the end of all sessions: they count until the lease of this node has ended');
    }
    this.#stopListening();
    await this.#relay.stop();
    await this.#sweeper.stop().catch((error: unknown) => this.#fault(error));
    await this.#lease.release().catch((error: unknown) => this.#fault(error));
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

  #restoring(): Restoring {
    return {
      sessions: this.#sessions,
      incarnation: this.#incarnation,
      connections: this.#members.connections,
      forgetGhost: (id) => this.#members.forgetGhost(id),
      rewrite: (connection) => this.#members.rewrite(connection),
      fault: (error) => this.#fault(error),
    };
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

  #info(): NodeInfo {
    return {
      name: this.#node,
      incarnation: this.#incarnation,
      url: this.url,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      started_at: this.#startedAt,
      sessions: this.#members.connections.size,
      draining: this.#now === 'draining' || undefined,
      ...this.#members.counters,
      ...this.#broker.counters,
      ...this.#load.sample(),
    };
  }

  #notReady(): string | undefined {
    if (this.#now !== 'open') return this.#now;
    if (!this.#sessions.store.ready) return 'Redis is not reached';
    return this.#lease.trouble;
  }

  #fault(error: unknown): void {
    if (!(error instanceof WssessError)) {
      this.#log.warn((error as Error)?.stack ?? String(error));
    } else {
      this.#warnSeldom(error.code, lineOf(error));
    }
  }
}

function defaultName(port: number): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 50);
  return `${host || 'node'}-${port}`;
}
