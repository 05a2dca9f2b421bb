/** Removes what processes that died left behind: their sessions, by the index that each process keeps of its own. */
import { isUsableId } from '../model.ts';
import type { Process } from '../nodes.ts';
import { Pacer } from '../pacer.ts';
import type { Gone } from '../registry.ts';
import type { Sessions } from '../sessions.ts';
import { PAGE, takeOut } from './mend.ts';

/** Share of the time that this works: it has to be done within seconds, and Redis serves others in between. */
const SHARE = 0.5;

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory' | 'registry' | 'nodes'>;

/**
 * Removes the sessions of a process whose lease is gone, and then forgets it. Ends when the process turns out to live.
 * What changes under it is left for the next time.
 * @returns how many sessions were removed
 * @throws WssessError when Redis fails
 */
export async function reapProcess(process: Process, floor: Floor, signal?: AbortSignal): Promise<number> {
  const { store, keys, directory, registry, nodes } = floor;
  const index = keys.own(process.incarnation);
  const pacer = new Pacer(SHARE, signal);
  let [removed, left] = [0, 0];
  while (!signal?.aborted) {
    const ids = await store.call<string[]>('ZRANGE', index, left, left + PAGE - 1);
    if (ids.length === 0) break;
    const usable = ids.filter(isUsableId);
    const { traces } = await directory.inspect(usable);
    const seen = new Map(traces.map((trace) => [trace.id, trace]));
    const own: Gone[] = [];
    const others: { index: string; gone: Gone }[] = [];
    for (const id of usable) {
      const { user = null, details = null, packed = '' } = seen.get(id) ?? {};
      const gone: Gone = { id, user: user ?? '', details, packed, index: process };
      // A session that belongs to another by now keeps all it has but this entry.
      const isOurs = details ? details.incarnation === process.incarnation : user === null && seen.has(id);
      if (isOurs) own.push(gone);
      else others.push({ index, gone });
    }
    const results = await registry.reap(own);
    const count = (what: (typeof results)[number]) => results.filter((result) => result === what).length;
    const taken = count('removed') + count('anothers');
    removed += count('removed');
    if (results.includes('lives')) return removed;
    // What can be no session's has nothing to be compared with. One that isn't UTF-8 can't be named: it stays.
    const bad = ids.filter((id) => !isUsableId(id));
    const dropped = bad.length > 0 ? await store.call<number>('ZREM', index, ...bad) : 0;
    left += ids.length - taken - dropped - (await takeOut(others, floor, process));
    await pacer.rest();
  }
  if (!signal?.aborted) await nodes.retire(process);
  return removed;
}
