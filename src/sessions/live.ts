/** Asks the nodes for what only they know of their sessions. */
import { WssessError } from '../common/errors.ts';
import { type Control, MOST_SESSIONS } from './control.ts';
import type { Live, Session } from './model.ts';
import type { Nodes } from './nodes.ts';
import { byOwner, inPages } from './owners.ts';

/** Milliseconds that a node may take to say what only it knows. */
const TIMEOUT = 2000;

/** What the nodes said, by session id; and what they didn't say. */
export interface LiveFacts {
  facts: Map<string, Live>;
  /** Nodes that own some of the sessions and told nothing of them. */
  nodesMissing: string[];
  /** Of these, the ones whose process lives. */
  silent: string[];
}

/**
 * Asks each node that owns one of the sessions; all nodes at the same time. A node whose lease is gone isn't asked: it
 * is missing at once.
 * @param timeout milliseconds for each request
 */
export async function askLive(
  sessions: readonly Session[],
  { nodes, control, timeout = TIMEOUT }: { nodes: Nodes; control: Control; timeout?: number },
): Promise<LiveFacts> {
  const facts = new Map<string, Live>();
  const missing = new Set<string>();
  const silent = new Set<string>();
  await Promise.all(
    (await byOwner(sessions, nodes)).map(async ({ node, incarnation, alive, sessions: own }) => {
      if (!alive) return missing.add(node);
      for (const page of inPages(own, MOST_SESSIONS)) {
        const asks = { sessions: page.map(({ id }) => id) };
        const asked = await control.ask(incarnation, 'describe', asks, timeout).catch(refused);
        if (asked?.outcome !== 'answered') return silent.add(node);
        for (const said of asked.results) {
          facts.set(said.session_id, {
            idle: said.idle_ms,
            subscriptions: said.subscriptions,
            destinations: said.destinations,
            recvCount: said.recv_cnt,
            sendCount: said.send_cnt,
            recvOctets: said.recv_oct,
            sendOctets: said.send_oct,
          });
        }
      }
    }),
  );
  return { facts, nodesMissing: [...new Set([...missing, ...silent])].sort(), silent: [...silent] };
}

/** A Redis that takes no request (full, read-only, no right to write) has still answered what was read. */
function refused(error: unknown): undefined {
  if (error instanceof WssessError && ['redis_refused', 'redis_denied'].includes(error.code)) return undefined;
  throw error;
}
