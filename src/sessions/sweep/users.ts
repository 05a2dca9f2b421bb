/** Ids in users' sets that are no session of the user: their session key is gone, or names another. */
import { WssessError } from '../../common/errors.ts';
import { isUsableId, unpackDetails } from '../model.ts';
import { inPages } from '../owners.ts';
import type { Sessions } from '../sessions.ts';

/** Members of a set that are looked at in one step; keys that one MGET reads. */
const PAGE = 100;

/** A user, and the ids to take out of the user's set: none of a user whose set is gone. */
export interface Stale {
  user: string;
  ids: string[];
}

/**
 * Looks at the sets of some users; reads only. A set of another type is not ours.
 * @param users at most some 100
 * @returns what is stale, and ids that a node wrote for this user and that lost their session key: to be examined
 */
export async function staleOf(
  users: readonly string[],
  { store, keys }: Pick<Sessions, 'store' | 'keys'>,
): Promise<{ stale: Stale[]; lost: string[] }> {
  const found: { stale: Stale[]; lost: string[] } = { stale: [], lost: [] };
  let open = users.map((user) => ({ user, cursor: '0' }));
  for (let isFirst = true; open.length > 0; isFirst = false) {
    const answers = await store.attempt<[string, string[]]>(
      open.map(({ user, cursor }) => ['SSCAN', keys.user(user), cursor, 'COUNT', PAGE]),
    );
    const next: typeof open = [];
    const members: { user: string; id: string }[] = [];
    for (const [i, { user }] of open.entries()) {
      const answer = answers[i]!;
      if (answer instanceof WssessError) continue;
      const [cursor, ids] = answer;
      if (cursor !== '0') next.push({ user, cursor });
      else if (isFirst && ids.length === 0) found.stale.push({ user, ids: [] });
      for (const id of ids) if (isUsableId(id)) members.push({ user, id });
    }
    const stale = new Map<string, string[]>();
    for (const page of inPages(members, PAGE)) {
      const [names, packed] = await store.batch<(string | null)[]>([
        ['MGET', ...page.map(({ id }) => keys.session(id))],
        ['MGET', ...page.map(({ id }) => keys.details(id))],
      ]);
      for (const [i, { user, id }] of page.entries()) {
        if (names![i] === user) continue;
        if (names![i] === null && unpackDetails(packed![i] ?? '')?.user === user) found.lost.push(id);
        else stale.set(user, [...(stale.get(user) ?? []), id]);
      }
    }
    for (const [user, ids] of stale) found.stale.push(...inPages(ids, PAGE).map((page) => ({ user, ids: page })));
    open = next;
  }
  return found;
}
