/** The sessions of this process: its connections, each with its place in Redis, from CONNECT to the end. */
import { WssessError } from '../../common/errors.ts';
import { cutUtf8 } from '../../common/escape.ts';
import { pause } from '../../common/pause.ts';
import type { RestoreOutcome } from '../../sessions/control.ts';
import type { Details } from '../../sessions/model.ts';
import { RENEW_EVERY } from '../../sessions/nodes.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { Throttle } from '../../sessions/throttle.ts';
import { type Ended, LONGEST_ABSENCE } from '../../sessions/tombstone.ts';
import type { Connection } from '../connection/connection.ts';
import type { Ending } from '../connection/surroundings.ts';
import { AWAY, EXPIRED, endingOf, endRefused, shutdown, TAKEN, tooManySessions } from './endings.ts';
import { isPassing, type Lease, type Moment, since } from './lease.ts';
import { Reconciler } from './reconciler.ts';
import { Registration } from './registration.ts';

/** Bytes of UTF-8 of the client's agent string that are kept. */
const MAX_USER_AGENT = 200;
/** Sessions that are closed at a time when the server ends, so that neither Redis nor the event loop is flooded. */
const DRAIN_PAGE = 200;
/** Milliseconds that a page may take before the next one is closed too. */
const DRAIN_PATIENCE = 500;
/** Milliseconds ahead: some renewals of the lease, which is when it is looked. */
const AHEAD = 3 * RENEW_EVERY;

export interface Membership {
  sessions: Sessions;
  lease: Pick<Lease, 'renew' | 'held'>;
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
      taken: () => void connection.end('closed', TAKEN),
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

  /** A session of this process that has no socket: removes what its unregister could not, but nothing of another's. */
  async forgetGhost(id: string): Promise<void> {
    const { sessions, incarnation } = this.#membership;
    const found = await sessions.directory.get(id);
    if (found?.details?.incarnation !== incarnation || this.#byId.has(id)) return;
    await sessions.registry.reap([{ ...found, disowned: true }]);
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

  /**
   * Looks for sessions that end in Redis before their client's lease does, `wssess refresh --ttl` being one way, and writes
   * them again. Never rejects.
   */
  async lookAhead(): Promise<void> {
    const { sessions, incarnation, fault } = this.#membership;
    try {
      for (const [id, left] of await sessions.directory.endingSoon(incarnation, AHEAD)) {
        const connection = this.#byId.get(id);
        if (connection) this.#registrations.get(connection)?.left(left);
      }
    } catch (error) {
      if (!isPassing(error)) fault(error);
    }
  }

  /** Writes one session again, all of it, as whoever sweeps asks for when Redis has lost something of it. Never rejects. */
  async rewrite(id: string): Promise<RestoreOutcome> {
    const connection = this.#byId.get(id);
    if (!connection) return 'unknown';
    // One that is coming or going is being written or removed at this moment.
    const isWhole = connection.state === 'open' && (await this.#registrations.get(connection)?.rewrite());
    return isWhole ? 'restored' : 'kept';
  }

  /** Sockets that are open, with a session or without. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /**
   * Closes every socket with cause `shutdown`, and unregisters the sessions.
   * @param options pace: how fast; it may call the rest off; ending: what the clients are told
   */
  async drain({
    pace = new Throttle(),
    ending = shutdown(null),
  }: {
    pace?: Throttle;
    ending?: Ending | undefined;
  } = {}): Promise<void> {
    const ended: Promise<void>[] = [];
    const sockets = [...this.#sockets];
    while (sockets.length > 0) {
      const page = sockets.splice(0, await pace.take(Math.min(DRAIN_PAGE, sockets.length)));
      if (page.length === 0) break;
      const others = await this.#endedMeanwhile(page);
      const unregistered = page.map((connection) => {
        const how = others.get(connection.id);
        return how ? connection.end(how.cause, endingOf(how)) : connection.end('shutdown', ending);
      });
      ended.push(...unregistered);
      // With Redis away the next page is told all the same.
      await Promise.race([Promise.all(unregistered), pause(DRAIN_PATIENCE)]);
    }
    await Promise.all(ended);
  }

  /** Who was ended by somebody else, while this node was without its lease, is told that. */
  async #endedMeanwhile(page: readonly Connection[]): Promise<ReadonlyMap<string, Ended>> {
    const { sessions, incarnation, lease, fault } = this.#membership;
    const nobody = new Map<string, Ended>();
    if (lease.held || !sessions.store.ready) return nobody;
    const ended = sessions.registry.ended(
      page.map(({ id }) => id),
      incarnation,
    );
    const told = ended.catch((error: unknown) => {
      fault(error);
      return nobody;
    });
    return Promise.race([told, pause(DRAIN_PATIENCE).then(() => nobody)]);
  }

  /** The last look, when no session will come any more. @returns false when some stay in Redis */
  end(): Promise<boolean> {
    return this.#reconciler.end();
  }
}
