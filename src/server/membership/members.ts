/** The sessions of this process: its connections, each with its place in Redis, from CONNECT to the end. */
import { WssessError } from '../../common/errors.ts';
import { cutUtf8 } from '../../common/escape.ts';
import type { Details } from '../../sessions/model.ts';
import { inPages } from '../../sessions/owners.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Connection } from '../connection/connection.ts';
import { CLOSE, Refusal } from '../refusal.ts';
import type { Lease } from './lease.ts';
import { Registration } from './registration.ts';

/** Bytes of UTF-8 of the client's agent string that are kept. */
const MAX_USER_AGENT = 200;
/** Sessions that are closed at a time when the server ends, so that neither Redis nor the event loop is flooded. */
const DRAIN_PAGE = 200;
/** Milliseconds that a page may take before the next one is closed too. */
const DRAIN_PATIENCE = 500;
/** Sessions that are written again at a time when Redis has lost them. */
const RESTORE_PAGE = 100;

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

  constructor(membership: Membership) {
    this.#membership = membership;
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
    const { sessions, lease, maxUserSessions, fault } = this.#membership;
    const registration = new Registration(id, this.#detailsOf(connection), {
      sessions,
      lease,
      maxUserSessions,
      lastSign: () => connection.lastSign,
      expired: () =>
        void connection.end('expired', {
          code: CLOSE.expired,
          reason: 'the session expired',
          error: { body: 'The client gave no sign for too long. Connect again.' },
        }),
      fault,
    });
    this.#byId.set(id, connection);
    this.#registrations.set(connection, registration);
    try {
      await registration.open();
    } catch (error) {
      if (!(error instanceof WssessError && error.code === 'too_many_sessions')) throw error;
      throw new Refusal(`more than ${maxUserSessions} sessions of one user`, 'Disconnect others of this user first.');
    }
    this.#registered.add(connection);
    this.counters.connects++;
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
    await this.#registrations.get(connection)?.close();
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

  /** Redis had lost the lease, and so perhaps everything: writes all sessions again. */
  async restore(): Promise<void> {
    for (const page of inPages([...this.#registrations.values()], RESTORE_PAGE)) {
      await Promise.all(page.map((registration) => registration.restore()));
    }
  }

  /** Closes every socket with cause `shutdown`, and unregisters the sessions. */
  async drain(): Promise<void> {
    const ended: Promise<void>[] = [];
    for (const page of inPages([...this.#sockets], DRAIN_PAGE)) {
      const unregistered = page.map((connection) =>
        connection.end('shutdown', {
          code: CLOSE.shutdown,
          reason: 'the server is shutting down',
          error: { body: 'Connect again: another node, or this one when it is back.' },
        }),
      );
      ended.push(...unregistered);
      // With Redis away the next page is told all the same.
      await Promise.race([Promise.all(unregistered), new Promise((wake) => setTimeout(wake, DRAIN_PATIENCE))]);
    }
    await Promise.all(ended);
  }
}
