/**
 * Mends what was found. Each script acts only where it still finds what was seen: nothing that lives is ended, and no
 * TTL is shortened.
 */
import { inPages } from '../owners.ts';
import { bound, boundset, limit, scrub } from '../scripts.gen.ts';
import type { Sessions } from '../sessions.ts';
import { reapProcess } from '../sweep/dead.ts';
import { mend } from '../sweep/mend.ts';
import type { Found, Remedy } from './fault.ts';
import { lastOf } from './users.ts';

/** Ids that one script takes out of a set. */
const PAGE = 100;

/**
 * @param missing names of nodes that don't answer: they are asked for nothing, and those that turn out so are added
 * @throws WssessError when Redis fails
 */
export async function remedy(found: readonly Found[], floor: Sessions, missing: Set<string>): Promise<void> {
  const { store, keys, registry } = floor;
  const of = <Act extends Remedy['act']>(act: Act) =>
    found.map(({ remedy }) => remedy).filter((one): one is Extract<Remedy, { act: Act }> => one.act === act);

  const limits = of('limit');
  await store.runAll(
    limit,
    limits.map(({ id, ttl, finding: { gone } }) => ({
      keys: [keys.session(id), keys.details(id)],
      args: [gone.user, gone.packed, Math.ceil(ttl)],
    })),
  );
  const findings = [...of('sweep'), ...limits].map(({ finding }) => finding);
  const owners = new Map(
    findings.flatMap((one) => (one.act === 'restore' ? [[one.owner.incarnation, one.owner]] : [])),
  );
  const silent = new Set([...owners.values()].filter(({ name }) => missing.has(name)).map((one) => one.incarnation));
  await mend(findings, floor, silent);
  for (const incarnation of silent) missing.add(owners.get(incarnation)!.name);
  await registry.discard(of('discard'));
  const dead = new Map(of('bury').map(({ process }) => [process.incarnation, process]));
  for (const process of dead.values()) await reapProcess(process, floor);
  await store.runAll(
    bound,
    of('bound').map(({ id }) => ({ keys: [keys.role(id), keys.session(id)], args: [] })),
  );
  await store.runAll(
    scrub,
    of('scrub').map(({ set, id }) => ({ keys: [set, keys.session(id)], args: [id] })),
  );
  for (const { index, id } of of('drop')) await store.call('ZREM', index, id);
  const stale = new Map<string, string[]>();
  for (const { user, ids } of of('prune')) stale.set(user, [...(stale.get(user) ?? []), ...ids]);
  for (const [user, ids] of stale) {
    for (const page of ids.length > 0 ? inPages(ids, PAGE) : [ids]) await registry.prune(user, page);
  }
  for (const { user } of of('boundSet')) {
    const last = await lastOf(user, floor);
    if (!last) continue;
    const { size, ids } = last;
    await store.run(boundset, [keys.user(user), ...ids.map(keys.session)], [size, ...ids]);
  }
}
