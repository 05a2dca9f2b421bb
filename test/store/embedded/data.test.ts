/** The data structures against naive models. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Deadlines, type Holder } from '../../../src/store/embedded/data/deadlines.ts';
import { Keyspace } from '../../../src/store/embedded/data/keyspace.ts';
import { List } from '../../../src/store/embedded/data/list.ts';
import { SortedSet } from '../../../src/store/embedded/data/sorted-set.ts';
import { Table } from '../../../src/store/embedded/data/table.ts';
import { until } from '../../helpers/wait.ts';

describe('Table', () => {
  it('does what a Set does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(200)), { maxLength: 1000 }), (steps) => {
        const [table, model] = [new Table<string>((key) => key), new Set<string>()];
        for (const [adds, n] of steps) {
          const key = `key${n}`;
          expect(table.has(key)).toBe(model.has(key));
          if (adds && !model.has(key)) {
            model.add(key);
            table.add(key);
          }
          if (!adds) expect(table.delete(key) !== undefined).toBe(model.delete(key));
        }
        expect([...table].sort()).toEqual([...model].sort());
        expect(table.size).toBe(model.size);
      }),
    );
  });

  it('visits every entry that is there from the first call to the last, whatever comes and goes between', () => {
    const change = fc.record({ adds: fc.nat(300), removes: fc.nat(300), count: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.nat(2000), fc.array(change, { minLength: 1, maxLength: 20 }), (others, changes) => {
        const table = new Table<string>((key) => key);
        const stays = Array.from({ length: 300 }, (_, i) => `stays${i}`);
        for (const key of stays) table.add(key);
        const passing = Array.from({ length: others }, (_, i) => `passes${i}`);
        for (const key of passing) table.add(key);
        const seen = new Set<string>();
        let [cursor, calls, made] = [0, 0, others];
        do {
          const { adds, removes, count } = changes[calls++ % changes.length]!;
          cursor = table.scan(cursor, count, (key) => seen.add(key));
          for (const key of passing.splice(0, removes)) table.delete(key);
          for (let i = 0; i < adds && made < 20_000; i++) {
            passing.push(`passes${made}`);
            table.add(`passes${made++}`);
          }
        } while (cursor !== 0);
        expect(stays.filter((key) => !seen.has(key))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('bounds the work of a call', () => {
    const table = new Table<string>((key) => key);
    for (let i = 0; i < 100_000; i++) table.add(`key${i}`);
    let [cursor, most, visited] = [0, 0, 0];
    do {
      let now = 0;
      cursor = table.scan(cursor, 100, () => now++);
      most = Math.max(most, now);
      visited += now;
    } while (cursor !== 0);
    expect(visited).toBe(100_000);
    expect(most).toBeLessThan(150);
  });
});

describe('SortedSet', () => {
  it('does what a sorted array does', () => {
    const step = fc.record({ adds: fc.boolean(), member: fc.nat(1500), score: fc.integer({ min: -50, max: 50 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000, size: 'max' }), fc.integer(), (steps, probe) => {
        const [set, model] = [new SortedSet(), new Map<string, number>()];
        for (const { adds, member, score } of steps) {
          const name = `m${member}`;
          if (adds || score > 0) {
            set.set(name, score);
            model.set(name, score);
          } else expect(set.delete(name)).toBe(model.delete(name));
        }
        const ordered = [...model].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
        expect(set.size).toBe(ordered.length);
        expect(set.slice(0, set.size).map(({ member, score }) => [member, score])).toEqual(ordered);
        const bound = { score: probe % 50, exclusive: probe % 2 === 0 };
        const isBelow = ([, score]: [string, number]) => (bound.exclusive ? score <= bound.score : score < bound.score);
        expect(set.below(bound)).toBe(ordered.filter(isBelow).length);
        ordered.forEach(([member], rank) => {
          if (rank % 37 === 0) expect(set.rank(member)).toBe(rank);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('is right at 100,000', () => {
    const [size, set] = [100_000, new SortedSet()];
    for (let i = 0; i < size; i++) set.set(`session${i}`, i);
    for (let i = 0; i < 1000; i++) {
      const member = `session${(i * 7919) % size}`;
      set.set(member, 2 * size + i);
      expect(set.rank(member)).toBe(size - 1);
      expect(set.slice(size - 1, size)[0]?.member).toBe(member);
    }
    expect(set.size).toBe(size);
  }, 150_000);
});

it('List does what an array does', () => {
  const step = fc.tuple(fc.constantFrom('left', 'right'), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 500, size: 'max' }), (steps) => {
      const [list, model] = [new List(), [] as string[]];
      steps.forEach(([end, pushes], i) => {
        if (pushes) {
          list.push(end as 'left', String(i));
          if (end === 'left') model.unshift(String(i));
          else model.push(String(i));
        } else expect(list.pop(end as 'left')).toBe(end === 'left' ? model.shift() : model.pop());
      });
      expect(list.slice(0, list.size)).toEqual(model);
      if (model.length === 0) expect(list.bytes).toBe(0);
    }),
  );
});

it('Deadlines gives the next one, however they were changed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(1000), fc.boolean()), { maxLength: 300 }), (steps) => {
      const deadlines = new Deadlines<Holder>();
      const holders = Array.from({ length: 31 }, (): Holder => ({ expiresAt: Infinity, place: -1 }));
      for (const [index, at, ends] of steps) deadlines.set(holders[index]!, ends ? at : Infinity);
      const left = holders.map(({ expiresAt }) => expiresAt).filter((at) => at !== Infinity);
      const given: number[] = [];
      for (let first = deadlines.first; first; first = deadlines.first) {
        given.push(first.expiresAt);
        deadlines.set(first, Infinity);
      }
      expect(given).toEqual(left.sort((a, b) => a - b));
    }),
  );
});

it('Keyspace looks for what has expired once at a time, also when that takes longer than the time between looks', async () => {
  const keys = new Keyspace(() => {});
  const end = Date.now() + 100;
  for (let i = 0; i < 200_000; i++) {
    keys.put(`key${i}`, '');
    keys.setExpiry(`key${i}`, end);
  }
  let [waiting, most] = [0, 0];
  const given = globalThis.setImmediate;
  const spy = vi.spyOn(globalThis, 'setImmediate').mockImplementation(((act: () => void) => {
    most = Math.max(most, ++waiting);
    return given(() => {
      waiting--;
      act();
    });
  }) as typeof setImmediate);
  await until(() => keys.size === 0, 20_000, 'all keys to expire');
  spy.mockRestore();
  keys.close();
  expect(keys.expired).toBe(200_000);
  expect(most).toBe(1);
});
