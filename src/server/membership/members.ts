/** The sessions of this process: its connections, each with its place in Redis, from CONNECT to the end. */
import { WssessError } from '../../common/errors.ts';
import { cutUtf8 } from '../../common/escape.ts';
import type { Details } from '../../sessions/model.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { Throttle } from '../../sessions/throttle.ts';
import { LONGEST_ABSENCE } from '../../sessions/tombstone.ts';
import type { Connection } from '../connection/connection.ts';
import { AWAY, EXPIRED, endingOf, endRefused, shutdown, tooManySessions } from './endings.ts';
import { isPassing, type Lease, type Moment, since } from './lease.ts';
import { Reconciler } from './reconciler.ts';
import { Registration } from './registration.ts';

/** Bytes of UTF-8 of the client's agent string that are kept. */
const MAX_USER_AGENT = 200;
/** Sessions that are closed at a time when the server ends, so that neither Redis nor the event loop is flooded. */
const DRAIN_PAGE = 200;
/** Milliseconds that a page may take before the next one is closed too. */
const DRAIN_PATIENCE = 500;

export interface Membership {
  sessions: Sessions;
  lease: Pick<Lease, 'renew'>;
  incarnation: string;
  /** The name of the node, once it has one. */
  node(): string;
  /** Milliseconds. */
  ttl: number;
  /** How many sessions a user may have, on all nodes together; 0: any number. */
  maxUserSessions: number;
  /** While Redis is away, CONNECT is answered, and the session registered later. */
  acceptUnregistered: boolean;
  fault(error: unknown): void;
}

export class Members {
  readonly #membership: Membership;
  readonly #sockets = new Set<Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #registrations = new Map<Connection, Registration>();
  /** Those that Redis took: counted when they come, so that they are counted once when they go. */
  readonly #registered = new WeakSet<Connection>();
  /** Since the start of the process: sessions that were registered, that ended, and that ended by a kick. */
  readonly counters = { connects: 0, disconnects: 0, kicks: 0 };

  readonly #reconciler: Reconciler;
  /** When the lease was last held before what is being made good. */
  #absentSince: Moment | undefined;

  constructor(membership: Membership) {
    this.#membership = membership;
    this.#reconciler = new Reconciler({
      ready: () => membership.sessions.store.ready,
      removeGhosts: () => this.#removeGhosts(),
    });
  }

  /** By session id: those that have sent CONNECT. */
  get connections(): ReadonlyMap<string, Connection> {
    return this.#byId;
  }

  /** A socket was opened. */
  add(connection: Connection): void {
    this.#sockets.add(connection);
  }

  /** Writes the session of a connection. @throws WssessError, Refusal */
  async register(connection: Connection): Promise<void> {
    const { id } = connection;
    const { sessions, lease, maxUserSessions, acceptUnregistered, fault } = this.#membership;
    const registration: Registration = new Registration(id, this.#detailsOf(connection), {
      sessions,
      lease,
      maxUserSessions,
      acceptUnregistered,
      lastSign: () => connection.lastSign,
      registered: () => {
        this.#registered.add(connection);
        this.counters.connects++;
      },
      expired: () => void connection.end('expired', EXPIRED),
      ended: (how) => void connection.end(how.cause, endingOf(how)),
      refused: () => endRefused(connection, tooManySessions(maxUserSessions)),
      behind: () => this.#reconciler.behind(registration),
      left: () => this.#reconciler.ghosts(),
      fault,
    });
    this.#byId.set(id, connection);
    this.#registrations.set(connection, registration);
    try {
      await registration.open();
    } catch (error) {
      if (error instanceof WssessError && error.code === 'too_many_sessions') throw tooManySessions(maxUserSessions);
      throw error;
    }
    connection.onSign = () => registration.sign();
  }

  #detailsOf({ transport, user, role, version }: Connection): Details {
    const { node, incarnation, ttl } = this.#membership;
    return {
      node: node(),
      incarnation,
      user,
      role,
      ip: transport.ip,
      port: transport.port,
      connectedAt: Date.now(),
      version,
      userAgent: transport.userAgent === null ? null : cutUtf8(transport.userAgent, MAX_USER_AGENT),
      ttl,
    };
  }

  /** A connection ended. Resolves when its session is unregistered, never rejects. */
  async forget(connection: Connection): Promise<void> {
    const registration = this.#registrations.get(connection);
    if (registration) {
      await registration.close();
      this.#reconciler.forget(registration);
    }
    this.#registrations.delete(connection);
    this.#byId.delete(connection.id);
    this.#sockets.delete(connection);
    if (!this.#registered.delete(connection)) return;
    this.counters.disconnects++;
    if (connection.cause === 'kicked') this.counters.kicks++;
  }

  /** A session of this process that has no socket: removes what its unregister could not. */
  async forgetGhost(id: string): Promise<void> {
    const { sessions, incarnation } = this.#membership;
    const found = await sessions.directory.get(id);
    if (found?.details?.incarnation !== incarnation || this.#byId.has(id)) return;
    await sessions.registry.unregister(id, found.user, found.details);
  }

  /** Those that the index of this process holds and that have no socket. @returns false when Redis didn't take it */
  async #removeGhosts(): Promise<boolean> {
    const { sessions, incarnation, fault } = this.#membership;
    try {
      for await (const ids of sessions.directory.idsOwnedBy(incarnation)) {
        await Promise.all(ids.filter((id) => !this.#byId.has(id)).map((id) => this.forgetGhost(id)));
      }
      return true;
    } catch (error) {
      if (isPassing(error)) return false;
      fault(error);
      return true;
    }
  }

  /**
   * Redis may have lost anything: all sessions are written again, and ghosts removed, in the background.
   * @param heldBefore when the lease was last held for certain
   */
  restore(heldBefore: Moment): void {
    const earlier = this.#reconciler.agrees ? undefined : this.#absentSince;
    this.#absentSince = earlier && since(earlier) > since(heldBefore) ? earlier : heldBefore;
    if (since(this.#absentSince) > LONGEST_ABSENCE) {
      // Which of them were ended meanwhile is no longer known.
      for (const connection of this.#sockets) {
        if (this.#registered.has(connection)) void connection.end('closed', AWAY);
      }
    }
    this.#reconciler.everything(this.#registrations.values());
  }

  /** Writes one session again, all of it. */
  async rewrite(connection: Connection): Promise<void> {
    await this.#registrations.get(connection)?.restore();
  }

  /** Sockets that are open, with a session or without. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /**
   * Closes every socket with cause `shutdown`, and unregisters the sessions.
   * @param options pace: how fast; it may call the rest off; reason: told to the clients
   */
  async drain({
    pace = new Throttle(),
    reason = null,
  }: {
    pace?: Throttle;
    reason?: string | null;
  } = {}): Promise<void> {
    const ended: Promise<void>[] = [];
    const sockets = [...this.#sockets];
    while (sockets.length > 0) {
      const page = sockets.splice(0, await pace.take(Math.min(DRAIN_PAGE, sockets.length)));
      if (page.length === 0) break;
      const unregistered = page.map((connection) => connection.end('shutdown', shutdown(reason)));
      ended.push(...unregistered);
      // With Redis away the next page is told all the same.
      await Promise.race([Promise.all(unregistered), new Promise((wake) => setTimeout(wake, DRAIN_PATIENCE))]);
    }
    await Promise.all(ended);
  }

  /** The last look, when no session will come any more. @returns false when some stay in Redis */
  end(): Promise<boolean> {
    return this.#reconciler.end();
  }
}
