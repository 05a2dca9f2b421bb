/** Counts of everything, by node and role (counts.ts says how). */
import { countIndexed, EXACT, type Exactness, type Indexed } from './counts.ts';
import { Presence } from './presence.ts';
import type { Sessions } from './sessions.ts';
import { countForeign } from './sweep/foreign.ts';

export interface Stats extends Exactness {
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

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes' | 'overview'>;

/** Of those that are online. @throws WssessError when Redis fails */
export async function countAll(sessions: Floor, presence = new Presence(sessions)): Promise<Stats> {
  const indexed = await countIndexed(sessions, presence);
  return (indexed && (await fromIndexes(indexed, sessions))) ?? walkAll(sessions, presence);
}

/** @returns undefined where no sweep has counted the roles */
async function fromIndexes({ frame, foreign }: Indexed, sessions: Floor): Promise<Stats | undefined> {
  // No index tells roles: those that the last sweep met are as old as it is, whatever else is exact.
  const swept = foreign ?? (await countForeign(sessions));
  if (!swept) return undefined;
  const living = frame.nodes.filter(({ alive }) => alive);
  return {
    at: frame.at,
    exact: false,
    asOf: swept.at,
    sessions: frame.own + (foreign?.sessions ?? 0),
    users: frame.users + (foreign?.users ?? 0),
    nodes: living.length,
    byNode: new Map(living.filter((node) => node.sessions > 0).map((node) => [node.name, node.sessions])),
    byRole: new Map(swept.byRole),
    foreign: foreign?.sessions ?? 0,
    withoutRole: swept.withoutRole,
  };
}

async function walkAll({ directory, nodes }: Floor, presence: Presence): Promise<Stats> {
  const stats: Stats = {
    at: Date.now(),
    ...EXACT,
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
  for await (const { sessions } of presence.online(directory.walk())) {
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
