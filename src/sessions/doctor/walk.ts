/**
 * All that there is to be looked at, a page at a time: what all else depends on, the set of all, the keys of the families (SCAN: what no set
 * names), the indexes, and what the nodes have in memory. What one stretch holds is not looked at in the next again.
 */
import { isUsableId } from '../model.ts';
import type { Process } from '../nodes.ts';
import { scan } from '../scan.ts';
import type { Sessions } from '../sessions.ts';
import type { Subject } from './fault.ts';
import type { Memory } from './memory.ts';
import { ofProcesses, singles } from './types.ts';

/** Ids a page. */
const PAGE = 100;
/** Keys that one SCAN looks at: some, whatever else lies in this Redis. */
const SCANNED = 250;

/** Lets who walks rest, and end: most keys of this Redis may be others', and whole stretches hold nothing to look at. */
const NOTHING: Subject = { what: 'ids', members: [] };

/** Called with how many keys a page of SCAN held. */
type Counted = (keys: number, users: number) => void;

export async function* walk(sessions: Sessions, memory: Memory, counted: Counted): AsyncGenerator<Subject> {
  yield { what: 'types', members: singles(sessions) };
  for await (const members of ofProcesses(sessions)) yield { what: 'types', members };
  for await (const members of sessions.directory.allIds()) yield { what: 'all', members };
  yield* walkKeys(sessions, counted);
  yield* walkIndexes(sessions);
  const nodes = (await sessions.nodes.list()).flatMap(({ info }) => info ?? []);
  for (const process of nodes) yield* walkMemory(process, sessions, memory);
}

async function* walkKeys({ store, keys }: Sessions, counted: Counted): AsyncGenerator<Subject> {
  for await (const page of scan(store, (cursor) => ['SCAN', cursor, 'MATCH', keys.families, 'COUNT', SCANNED])) {
    const ids = new Set<string>();
    const users: string[] = [];
    const bad: string[] = [];
    for (const key of page) {
      const parsed = keys.parse(key);
      if (parsed?.of === 'user') users.push(parsed.name);
      else if (parsed && isUsableId(parsed.name)) ids.add(parsed.name);
      else if (parsed) bad.push(key);
    }
    counted(ids.size + users.length + bad.length, users.length);
    for (const members of pages(await unlisted([...ids], { store, keys }))) yield { what: 'ids', members };
    for (const members of pages(users)) yield { what: 'users', members };
    for (const members of pages(bad)) yield { what: 'keys', members };
    yield NOTHING;
  }
}

async function* walkIndexes(sessions: Sessions): AsyncGenerator<Subject> {
  const { keys, nodes, store } = sessions;
  for (const process of await nodes.processes()) {
    for await (const members of backwards(keys.own(process.incarnation), sessions)) {
      yield { what: 'own', members, process };
      if (process.alive) yield { what: 'ids', members: await unlisted(members.filter(isUsableId), sessions) };
    }
  }
  for await (const members of backwards(keys.newest, sessions)) {
    yield { what: 'newest', members };
    yield { what: 'ids', members: await unlisted(members.filter(isUsableId), sessions) };
  }
  for await (const users of backwards(keys.users, sessions)) {
    const sets = await store.batch<number>(users.map((user) => ['EXISTS', keys.user(user)]));
    yield { what: 'users', members: users.filter((_, i) => sets[i] === 0) };
  }
}

async function* walkMemory(process: Process, sessions: Sessions, memory: Memory): AsyncGenerator<Subject> {
  for await (const members of backwards(sessions.keys.own(process.incarnation), sessions)) {
    yield { what: 'held', members: members.filter(isUsableId), process };
  }
  for await (const members of memory.list(process)) yield { what: 'claimed', members, process };
}

/** Those that the set of all doesn't hold. */
async function unlisted(ids: readonly string[], { store, keys }: Pick<Sessions, 'store' | 'keys'>): Promise<string[]> {
  if (ids.length === 0) return [];
  const listed = await store.call<number[]>('SMISMEMBER', keys.all, ...ids);
  return ids.filter((_, i) => listed[i] === 0);
}

/** A sorted set by rank, from its end, so that what is taken out moves nothing that is still to come. */
async function* backwards(key: string, { store }: Pick<Sessions, 'store'>): AsyncGenerator<string[]> {
  const size = await store.call<number>('ZCARD', key);
  for (let to = size - 1; to >= 0; to -= PAGE) {
    const members = await store.call<string[]>('ZRANGE', key, Math.max(0, to - PAGE + 1), to);
    if (members.length > 0) yield members;
  }
}

function* pages(list: readonly string[]): Generator<string[]> {
  for (let at = 0; at < list.length; at += PAGE) yield list.slice(at, at + PAGE);
}
