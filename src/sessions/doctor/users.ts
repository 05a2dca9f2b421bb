/** What is wrong with users' sets, and with users that the index names. Reads only. */
import { WssessError } from '../../common/errors.ts';
import { isUsableId, unpackDetails } from '../model.ts';
import type { Sessions } from '../sessions.ts';
import type { Found } from './fault.ts';
import { badId, lookAtBad } from './ids.ts';

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory'>;

/** Members of a set that are looked at in one step. */
const PAGE = 100;

/**
 * @param users at most some 100
 * @returns what is wrong, and ids that a node wrote for one of them and that lost their session key: to be looked at
 */
export async function lookAtUsers(users: readonly string[], floor: Floor): Promise<{ found: Found[]; lost: string[] }> {
  const { store, keys } = floor;
  const [known, ...rest] = await store.batch<unknown>([
    ['ZMSCORE', keys.users, ...users],
    ...users.flatMap((user) => [['TYPE', keys.user(user)] as const, ['PTTL', keys.user(user)] as const]),
  ]);
  const found: Found[] = [];
  const lost: string[] = [];
  for (const [i, user] of users.entries()) {
    const [type, ttl] = rest.slice(i * 2, i * 2 + 2) as [string, number];
    if (type === 'set') {
      const looked = await lookAtSet(user, ttl === -1, floor);
      found.push(...looked.found);
      lost.push(...looked.lost);
    } else if (type !== 'none') {
      found.push({ ...badId(null, keys.user(user), user, { act: 'hand', with: 'key' }), user });
    } else if ((known as (string | null)[])[i] !== null) {
      const remedy = { act: 'prune', user, ids: [] } as const;
      found.push({
        fault: 'orphan_index',
        member: user,
        id: null,
        user,
        key: keys.users,
        node: null,
        remedy: { ...remedy, ids: [] },
      });
    }
  }
  return { found, lost };
}

async function lookAtSet(user: string, isEndless: boolean, floor: Floor): Promise<{ found: Found[]; lost: string[] }> {
  const { store, keys } = floor;
  const set = keys.user(user);
  const found: Found[] = [];
  const lost: string[] = [];
  let cursor = '0';
  do {
    const [answer] = await store.attempt<[string, string[]]>([['SSCAN', set, cursor, 'COUNT', PAGE]]);
    if (!answer || answer instanceof WssessError) break; // it has become something else
    cursor = answer[0];
    // A small set comes whole, whatever COUNT says.
    for (let at = 0; at < answer[1].length; at += PAGE) {
      const page = await lookAtMembers(answer[1].slice(at, at + PAGE), user, floor);
      found.push(...page.found);
      lost.push(...page.lost);
    }
  } while (cursor !== '0');
  if (isEndless && (await lastOf(user, floor))) {
    const remedy = { act: 'boundSet', user } as const;
    found.push({ fault: 'no_ttl', member: user, id: null, user, key: set, node: null, remedy });
  }
  return { found, lost };
}

/**
 * What a set must be given the end of: how many members it has, and those that end last, a page at most.
 * @returns undefined where none has an end, or one has none: the set may go on without one
 */
export async function lastOf(
  user: string,
  { store, keys, directory }: Floor,
): Promise<{ size: number; ids: string[] } | undefined> {
  const size = await store.call<number>('SCARD', keys.user(user));
  let last: { id: string; ttl: number }[] = [];
  for await (const ids of directory.idsOf(user)) {
    const ttls = await store.batch<number>(ids.map((id) => ['PTTL', keys.session(id)]));
    if (ttls.includes(-1)) return undefined;
    last.push(...ids.map((id, i) => ({ id, ttl: ttls[i]! })));
    last = last.sort((a, b) => b.ttl - a.ttl).slice(0, PAGE);
  }
  return last.some(({ ttl }) => ttl > 0) ? { size, ids: last.map(({ id }) => id) } : undefined;
}

/** Ids whose session key is gone, or names another user. */
async function lookAtMembers(
  members: readonly string[],
  user: string,
  { store, keys }: Floor,
): Promise<{ found: Found[]; lost: string[] }> {
  const set = keys.user(user);
  const bad = await lookAtBad(members, { store, keys }, set);
  const found = bad.map((one): Found => ({ ...one, member: user, user }));
  const lost: string[] = [];
  const ids = members.filter(isUsableId);
  if (ids.length === 0) return { found, lost };
  const [names, packed] = await store.batch<(string | null)[]>([
    ['MGET', ...ids.map(keys.session)],
    ['MGET', ...ids.map(keys.details)],
  ]);
  for (const [i, id] of ids.entries()) {
    const name = names![i]!;
    if (name === user) continue;
    if (name === null && unpackDetails(packed![i] ?? '')?.user === user) {
      lost.push(id);
      continue;
    }
    const fault = name === null ? 'expired_id' : 'orphan_index';
    const remedy = { act: 'prune', user, ids: [id] } as const;
    found.push({ fault, member: user, id, user, key: set, node: null, remedy: { ...remedy, ids: [id] } });
  }
  return { found, lost };
}
