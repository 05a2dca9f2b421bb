/** Answers what other processes ask this node (sessions/control.ts). */
import type { DrainAsks, DrainState, Handlers, RestoreOutcome } from '../../sessions/control.ts';
import type { Connection } from '../connection/connection.ts';
import type { Log } from '../log.ts';
import { quote } from '../stomp/protocol-error.ts';
import { endingOf } from './endings.ts';

/** Destinations that a description names; the count is of all. */
const MOST_DESTINATIONS = 100;

interface Node {
  connections: ReadonlyMap<string, Connection>;
  destinationsOf(connection: Connection): string[];
  /** Removes what Redis still holds of a session that this process has no socket for. */
  forgetGhost(id: string): Promise<void>;
  /** Writes again what Redis has lost of a session. */
  rewrite(id: string): Promise<RestoreOutcome>;
  drain(asks: DrainAsks): Promise<DrainState>;
  log: Pick<Log, 'info'>;
}

export function answering({ connections, destinationsOf, forgetGhost, rewrite, drain, log }: Node): Handlers {
  return {
    async kick({ sessions, action_id, reason }) {
      log.info(kickLine(action_id, sessions, connections));
      return Promise.all(
        sessions.map(async (id) => {
          const connection = connections.get(id);
          if (!connection) await forgetGhost(id);
          const wasClosed = !connection || connection.state === 'closed';
          // Of one that is ending already, this waits for the end.
          await connection?.end('kicked', endingOf({ cause: 'kicked', reason, actionId: action_id }));
          return { session_id: id, outcome: wasClosed ? ('already_gone' as const) : ('kicked' as const) };
        }),
      );
    },

    async describe({ sessions }) {
      return sessions.flatMap((id) => {
        const connection = connections.get(id);
        if (!connection || connection.state === 'closed') return [];
        const destinations = destinationsOf(connection);
        const { recvCount, sendCount, recvOctets, sendOctets } = connection.counters;
        return [
          {
            session_id: id,
            idle_ms: Math.round(performance.now() - connection.lastSign),
            subscriptions: destinations.length,
            destinations: destinations.slice(0, MOST_DESTINATIONS),
            recv_cnt: recvCount,
            send_cnt: sendCount,
            recv_oct: recvOctets,
            send_oct: sendOctets,
          },
        ];
      });
    },

    async restore({ sessions }) {
      return Promise.all(sessions.map(async (id) => ({ session_id: id, outcome: await rewrite(id) })));
    },

    async list({ after, limit }) {
      return firstAfter(openIds(connections), after, limit).map((id) => ({
        session_id: id,
        user: connections.get(id)!.user,
      }));
    },

    drain: async (asks) => [await drain(asks)],
  };
}

/** One line for all that one request ends, before it does; the reason is the client's alone. */
function kickLine(actionId: string, sessions: readonly string[], connections: Node['connections']): string {
  const ending = [...new Set(sessions)].flatMap((id) => {
    const connection = connections.get(id);
    return connection && connection.state !== 'closed' ? [connection] : [];
  });
  const [first] = ending;
  const one = first && ending.length === 1;
  const ended = one ? `session ${quote(first.id)} of ${quote(first.user)}` : `${ending.length || 'no'} sessions`;
  return `kick by action ${actionId}: ended ${ended}`;
}

/** Those that are registered: one that is coming or going is no session of this moment. */
function* openIds(connections: ReadonlyMap<string, Connection>): Generator<string> {
  for (const [id, { state }] of connections) if (state === 'open') yield id;
}

/** The first ids behind `after`, in order: sorts no more than twice as many as are wanted at a time. */
function firstAfter(ids: Iterable<string>, after: string, limit: number): string[] {
  const page: string[] = [];
  let last: string | undefined;
  for (const id of ids) {
    if (id <= after || (last !== undefined && id >= last)) continue;
    page.push(id);
    if (page.length < 2 * limit) continue;
    page.sort().length = limit;
    last = page.at(-1);
  }
  return page.sort().slice(0, limit);
}
