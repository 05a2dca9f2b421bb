/** Groups sessions by the process that owns them, and tells which of these processes live. */
import type { Session } from './model.ts';
import type { Nodes } from './nodes.ts';

/** The sessions of one process. */
export interface Owned {
  node: string;
  incarnation: string;
  /** False when its lease is gone, or held by a later process of the same name. */
  alive: boolean;
  sessions: Session[];
}

/** Groups by owner; foreign sessions have none and are left out. */
export async function byOwner(sessions: readonly Session[], nodes: Nodes): Promise<Owned[]> {
  const owners = new Map<string, Owned>();
  for (const session of sessions) {
    if (!session.details) continue;
    const { node, incarnation } = session.details;
    const owner = owners.get(incarnation) ?? { node, incarnation, alive: false, sessions: [] };
    owner.sessions.push(session);
    owners.set(incarnation, owner);
  }
  const living = await nodes.living([...owners.values()].map(({ node }) => node));
  for (const owner of owners.values()) owner.alive = living.get(owner.node) === owner.incarnation;
  return [...owners.values()];
}

/** A list in pieces of at most `size`. */
export function inPages<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
