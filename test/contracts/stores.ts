/**
 * The stores that every contract runs on: Redis, Valkey, a Cluster, a Sentinel set, and the embedded store, which needs
 * nothing but Node. Cluster and Sentinel set are spoken to by a user with the rights of a node that docs/security.md
 * gives, and no more.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { Sessions } from '../../src/sessions/sessions.ts';
import { startAsRedis } from '../helpers/embedded.ts';
import { openFloor } from '../helpers/floor.ts';
import { describeWithRedis, describeWithValkey, startRedis, startValkey, type TestRedis } from '../helpers/redis.ts';
import { startClusterAsRedis } from '../helpers/redis-cluster.ts';
import { startSentinelAsRedis } from '../helpers/redis-sentinel.ts';

/** What a contract is given: filled before the first test, empty of keys before each. */
export interface Floor extends Sessions {
  /** On the embedded store too: what can't be there throws. */
  redis: TestRedis;
  /** Called after the test, last first. */
  later(end: () => unknown): void;
}

const STORES = [
  { name: 'Redis', describe: describeWithRedis, start: startRedis },
  { name: 'the embedded store', describe, start: startAsRedis },
  { name: 'Valkey', describe: describeWithValkey, start: startValkey },
  { name: 'a Cluster', describe: describeWithRedis, start: startClusterAsRedis },
  { name: 'a Sentinel set', describe: describeWithRedis, start: startSentinelAsRedis },
];

/**
 * Declares the tests of a contract once for each store. The floor's fields are there when a test runs, not before.
 * @param where what takes long runs on the first two, which differ most; on all of them with WSSESS_TEST_RUNS
 */
export function contract(name: string, suite: (floor: Floor) => void, where: 'on all' | 'on a few' = 'on all'): void {
  const isLong = where === 'on a few' && !process.env.WSSESS_TEST_RUNS;
  for (const store of isLong ? STORES.slice(0, 2) : STORES) {
    store.describe(`${name} on ${store.name}`, () => {
      const ends: (() => unknown)[] = [];
      const floor = { later: (end) => void ends.unshift(end) } as Floor;
      beforeAll(async () => {
        floor.redis = await store.start();
        Object.assign(floor, await openFloor(floor.redis));
      });
      beforeEach(async () => {
        await floor.redis.client.flushall();
      });
      afterEach(async () => {
        for (const end of ends.splice(0)) await end();
      });
      afterAll(async () => {
        floor.store?.close();
        await floor.redis?.stop();
      });
      suite(floor);
    });
  }
}
