/** https://redis.io/docs/latest/commands/?group=set */
import type { Keyspace } from '../data/keyspace.ts';
import { MemberSet } from '../data/member-set.ts';
import { integer, natural, syntaxError } from '../protocol/arguments.ts';
import { Fault } from '../protocol/reply.ts';
import type { Handler, Rows } from './command.ts';

/** Members that SRANDMEMBER draws, repeated ones among them: Redis has no such limit. */
const MOST_DRAWN = 1_000_000;

const sadd: Handler = ([key, ...members], { db }) => {
  const known = db.set(key!);
  const set = known ?? new MemberSet();
  const added = members.filter((member) => set.add(member)).length;
  if (!known) db.put(key!, set);
  else if (added > 0) db.changed(key!);
  return added;
};

function remove(db: Keyspace, key: string, members: readonly string[]): number {
  const set = db.set(key);
  const removed = set ? members.filter((member) => set.delete(member)).length : 0;
  if (removed > 0) db.changed(key);
  return removed;
}

/** Members by chance, each once. */
function draw(set: MemberSet, count: number): string[] {
  if (count >= set.size) return [...set.table];
  const drawn = new Set<string>();
  if (count < set.size / 2) {
    while (drawn.size < count) drawn.add(set.table.random()!);
    return [...drawn];
  }
  const left = new Set<string>();
  while (left.size < set.size - count) left.add(set.table.random()!);
  return [...set.table].filter((member) => !left.has(member));
}

const spop: Handler = ([key, ...rest], { db }) => {
  if (rest.length > 1) throw syntaxError();
  const count = rest.length === 1 ? natural(rest[0]) : 1;
  const set = db.set(key!);
  const drawn = set ? draw(set, count) : [];
  remove(db, key!, drawn);
  return rest.length === 1 ? drawn : (drawn[0] ?? null);
};

const srandmember: Handler = ([key, ...rest], { db }) => {
  if (rest.length > 1) throw syntaxError();
  const count = rest.length === 1 ? integer(rest[0]) : 1;
  if (count < -MOST_DRAWN) throw new Fault('ERR value is out of range');
  const set = db.set(key!);
  if (rest.length === 0) return set?.table.random() ?? null;
  if (!set) return [];
  return count >= 0 ? draw(set, count) : Array.from({ length: -count }, () => set.table.random()!);
};

const smismember: Handler = ([key, ...members], { db }) => {
  const set = db.set(key!);
  return members.map((member) => (set?.has(member) ? 1 : 0));
};

export const sets: Rows = {
  sadd: [-3, 'write denyoom', sadd],
  srem: [-3, 'write', ([key, ...members], { db }) => remove(db, key!, members)],
  sismember: [3, 'readonly', ([key, member], { db }) => (db.set(key!)?.has(member!) ? 1 : 0)],
  smismember: [-3, 'readonly', smismember],
  scard: [2, 'readonly', ([key], { db }) => db.set(key!)?.size ?? 0],
  smembers: [2, 'readonly', ([key], { db }) => [...(db.set(key!)?.table ?? [])]],
  spop: [-2, 'write', spop],
  srandmember: [-2, 'readonly', srandmember],
};
