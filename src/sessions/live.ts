/** Asks the nodes for what only they know of their sessions. */
import { type Control, MOST_SESSIONS } from './control.ts';
import type { Live, Session } from './model.ts';
import type { Nodes } from './nodes.ts';
import { byOwner, inPages } from './owners.ts';

/** What the nodes said, by session id; and the nodes that didn't answer. */
export interface LiveFacts {
  facts: Map<string, Live>;
  nodesMissing: string[];
}

/**
 * Asks each node that owns one of the sessions; all nodes at the same time. A node whose lease is gone isn't asked: it
 * is missing at once.
 * @param timeout milliseconds for each request
 */
export async function askLive(
  sessions: readonly Session[],
  { nodes, control, timeout }: { nodes: Nodes; control: Control; timeout: number },
): Promise<LiveFacts> {
  const facts = new Map<string, Live>();
  const missing = new Set<string>();
  await Promise.all(
    (await byOwner(sessions, nodes)).map(async ({ node, incarnation, alive, sessions: own }) => {
      if (!alive) return missing.add(node);
      for (const page of inPages(own, MOST_SESSIONS)) {
        const asked = await control.ask(incarnation, 'describe', { sessions: page.map(({ id }) => id) }, timeout);
        if (asked.outcome !== 'answered') return missing.add(node);
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
  return { facts, nodesMissing: [...missing].sort() };
}
