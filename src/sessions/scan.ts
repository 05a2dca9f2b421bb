/**
 * Walks by cursor (SCAN, SSCAN, ZSCAN). A cursor means something to the process that gave it, and to no other: after a
 * failover it would pass over what lies elsewhere there. So when the connection was lost meanwhile, the walk begins again.
 */
import type { Command, Store } from '../store/store.ts';

/**
 * @param command the command at a cursor
 * @returns pages as Redis yields them; what is there all the time comes at least once, and may come again
 * @throws WssessError
 */
export async function* scan(
  store: Pick<Store, 'call' | 'epoch'>,
  command: (cursor: string) => Command,
): AsyncGenerator<string[]> {
  let [cursor, epoch] = ['0', store.epoch];
  for (;;) {
    const [next, page] = await store.call<[string, string[]]>(...command(cursor));
    if (store.epoch !== epoch) {
      [cursor, epoch] = ['0', store.epoch];
      continue;
    }
    yield page;
    if (next === '0') return;
    cursor = next;
  }
}
