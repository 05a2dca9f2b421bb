/** Mends what examine.ts found. Each script acts only on what was seen: nothing that lives is ever removed. */

import type { Process } from '../nodes.ts';
import { inPages } from '../owners.ts';
import type { Gone } from '../registry.ts';
import { relist, unindex } from '../scripts.gen.ts';
import type { Sessions } from '../sessions.ts';
import type { Finding } from './examine.ts';

/** Sessions that one write removes: with 50 Redis's ping stays at a few milliseconds (docs/keys.md). */
export const PAGE = 50;
/** Milliseconds that an owner may take to write sessions again. */
const TIMEOUT = 2000;

/** What was done. */
export interface Mended {
  /** Sessions of owners that are gone, or that their owner doesn't know. */
  ghosts: number;
  /** Ids of the sets, and of users' sets, whose session key is gone. */
  expired: number;
  /** Entries of indexes. */
  entries: number;
  /** Sessions that their owner has written again. */
  restored: number;
  /** Sessions of other programs that were put into the sets again. */
  relisted: number;
}

export const nothing = (): Mended => ({ ghosts: 0, expired: 0, entries: 0, restored: 0, relisted: 0 });

export function add(sum: Mended, more: Mended): void {
  for (const name of Object.keys(sum) as (keyof Mended)[]) sum[name] += more[name];
}

type Floor = Pick<Sessions, 'store' | 'keys' | 'registry' | 'control' | 'nodes'>;

/**
 * @param silent incarnations of owners that didn't answer, to which it adds: they aren't asked again
 * @throws WssessError when Redis fails
 */
export async function mend(
  findings: readonly Finding[],
  floor: Floor,
  silent: Set<string> = new Set(),
): Promise<Mended> {
  const mended = nothing();
  const isOf = <Act extends Finding['act']>(act: Act) =>
    findings.filter((one): one is Extract<Finding, { act: Act }> => one.act === act);
  const orphans = isOf('unindex').map(({ index, gone }) => ({ index, gone }));
  const reapable = isOf('reap').map(({ fault, gone }) => ({ fault, gone }));

  const asked = isOf('restore');
  // Details that a hand wrote: the owner takes them for another's, and knows the true ones.
  const unreadable = asked.flatMap(({ gone }) => (gone.details ? [] : [{ id: gone.id, packed: gone.packed }]));
  for (const page of inPages(unreadable, PAGE)) await floor.registry.discard(page);
  const { restored, unknown } = await restore(asked, floor, silent);
  mended.restored = restored;
  for (const { fault, gone, owner } of asked) {
    if (!unknown.has(gone.id)) continue;
    if (gone.user !== '' && gone.details === null) {
      // A foreign session that the indexes of nodes hold: it stays, the entries go.
      for (const index of [floor.keys.own(owner.incarnation), floor.keys.newest]) orphans.push({ index, gone });
    } else reapable.push({ fault: gone.user === '' ? fault : 'ghost', gone: { ...gone, disowned: true } });
  }

  for (const page of inPages(reapable, PAGE)) {
    const results = await floor.registry.reap(page.map(({ gone }) => gone));
    for (const [i, { fault }] of page.entries()) {
      if (results[i] === 'anothers') mended.entries++;
      if (results[i] !== 'removed') continue;
      if (fault === 'ghost') mended.ghosts++;
      else if (fault === 'orphan_index') mended.entries++;
      else mended.expired++;
    }
  }
  mended.entries += await takeOut(orphans, floor);
  mended.relisted = await putBack(
    isOf('relist').map(({ gone }) => gone),
    floor,
  );
  return mended;
}

/**
 * Takes ids out of indexes in which they don't belong.
 * @param dead the process whose lease must be gone for it
 * @returns how many
 */
export async function takeOut(
  orphans: readonly { index: string; gone: Gone }[],
  { store, keys }: Pick<Floor, 'store' | 'keys'>,
  dead: Process = { name: '', incarnation: '' },
): Promise<number> {
  const results = await store.runAll<[string]>(
    unindex,
    orphans.map(({ index, gone: { id, user, packed } }) => ({
      keys: [index, keys.session(id), keys.details(id), keys.lease(dead.name)],
      args: [id, user, packed, dead.incarnation],
    })),
  );
  return results.filter(([result]) => result === 'OK').length;
}

/** Puts live sessions that no node wrote into the sets again. @returns how many a set didn't hold */
async function putBack(lost: readonly Gone[], { store, keys }: Pick<Floor, 'store' | 'keys'>): Promise<number> {
  const results = await store.runAll<(string | number)[]>(
    relist,
    lost.map(({ id, user, packed }) => ({
      keys: [keys.session(id), keys.details(id), keys.user(user), keys.all],
      args: [id, user, packed],
    })),
  );
  return results.filter(([result, ...added]) => result === 'OK' && added.includes(1)).length;
}

/** Asks the owners, all at the same time. One that doesn't answer, or is too old to know how, changes nothing. */
async function restore(
  findings: readonly { owner: Process; gone: Gone }[],
  { control, nodes }: Pick<Floor, 'control' | 'nodes'>,
  silent: Set<string>,
): Promise<{ restored: number; unknown: Set<string> }> {
  const unknown = new Set<string>();
  let restored = 0;
  const owners = new Map(findings.map(({ owner }) => [owner.incarnation, owner]));
  for (const incarnation of silent) owners.delete(incarnation);
  await Promise.all(
    [...owners.values()].map(async ({ name, incarnation }) => {
      const ids = findings.filter(({ owner }) => owner.incarnation === incarnation).map(({ gone }) => gone.id);
      const isAlive = async () => (await nodes.living([name])).get(name) === incarnation;
      const asked = await control.ask(incarnation, 'restore', { sessions: ids }, TIMEOUT, isAlive);
      if (asked.outcome !== 'answered') return silent.add(incarnation);
      for (const { session_id, outcome } of asked.results) {
        if (outcome === 'restored') restored++;
        else if (outcome === 'unknown') unknown.add(session_id);
      }
    }),
  );
  return { restored, unknown };
}
