/** Counts of everything, by node and role: exact, by a walk of the set of all. */
import type { Directory } from './directory.ts';
import type { Nodes } from './nodes.ts';

export interface Stats {
  /** Milliseconds since 1970. */
  at: number;
  sessions: number;
  users: number;
  /** Nodes whose lease lives. */
  nodes: number;
  byNode: Map<string, number>;
  byRole: Map<string, number>;
  /** Sessions that no node wrote. */
  foreign: number;
  withoutRole: number;
}

export async function countAll({ directory, nodes }: { directory: Directory; nodes: Nodes }): Promise<Stats> {
  const stats: Stats = {
    at: Date.now(),
    sessions: 0,
    users: 0,
    nodes: 0,
    byNode: new Map(),
    byRole: new Map(),
    foreign: 0,
    withoutRole: 0,
  };
  const users = new Set<string>();
  const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for await (const { sessions } of directory.walk()) {
    stats.sessions += sessions.length;
    for (const { user, role, details } of sessions) {
      users.add(user);
      if (details) add(stats.byNode, details.node);
      else stats.foreign++;
      if (role === null) stats.withoutRole++;
      else add(stats.byRole, role);
    }
  }
  stats.users = users.size;
  stats.nodes = (await nodes.list()).filter(({ alive }) => alive).length;
  return stats;
}
