/**
 * Keys on which all else depends, and of which there is one each, or one a process: whether they hold their type of value.
 * Where one doesn't, the rest can't be read, or a node that lives looks dead.
 */
import type { Sessions } from '../sessions.ts';
import type { Found } from './fault.ts';
import { badId } from './ids.ts';

type Floor = Pick<Sessions, 'store' | 'keys' | 'nodes'>;

/** Keys that one step looks at. */
const PAGE = 100;

/** Those that have a name of their own. */
export function singles({ keys }: Pick<Floor, 'keys'>): string[] {
  return [...typesOf({ keys }).keys()];
}

/** Leases, and indexes of processes. The singles must be what they should. */
export async function* ofProcesses({ keys, nodes }: Floor): AsyncGenerator<string[]> {
  const names = [...(await nodes.list()), ...(await nodes.processes())].map(({ name }) => keys.lease(name));
  const own = (await nodes.processes()).map(({ incarnation }) => keys.own(incarnation));
  const all = [...new Set([...names, ...own])];
  for (let at = 0; at < all.length; at += PAGE) yield all.slice(at, at + PAGE);
}

export async function lookAtTypes(members: readonly string[], { store, keys }: Floor): Promise<Found[]> {
  const types = await store.batch<string>(members.map((key) => ['TYPE', key]));
  const wanted = typesOf({ keys });
  return members.flatMap((key, i) => {
    const want = wanted.get(key) ?? (key.startsWith(keys.own('')) ? 'zset' : 'string');
    return types[i] === 'none' || types[i] === want ? [] : [badId(null, key, key, { act: 'hand', with: 'key' })];
  });
}

function typesOf({ keys }: Pick<Floor, 'keys'>): ReadonlyMap<string, string> {
  const { all, newest, users, nodes, processes, foreign, foreignUsers, schema, sweeper, swept } = keys;
  const sorted = [newest, users, nodes, processes, foreign, foreignUsers].map((key) => [key, 'zset'] as const);
  return new Map([[all, 'set'], ...sorted, [schema, 'string'], [sweeper, 'string'], [swept, 'string']]);
}
