/** The stores that every contract runs on: a real Redis, and the embedded store, which needs nothing but Node. */
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { Sessions } from '../../src/sessions/sessions.ts';
import { startAsRedis } from '../helpers/embedded.ts';
import { openFloor } from '../helpers/floor.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';

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
];

/** Declares the tests of a contract once for each store. The floor's fields are there when a test runs, not before. */
export function contract(name: string, suite: (floor: Floor) => void): void {
  for (const store of STORES) {
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
