import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap } from '../../src/common/heap.ts';

it('gives the least of what it holds, whatever came in between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer())), (acts) => {
      const heap = new Heap<number>((one, other) => one < other);
      const held: number[] = [];
      for (const act of acts) {
        if (act === null) {
          const least = held.length === 0 ? undefined : Math.min(...held);
          expect([heap.first, heap.shift()]).toEqual([least, least]);
          if (least !== undefined) held.splice(held.indexOf(least), 1);
        } else {
          heap.push(act);
          held.push(act);
        }
        expect(heap.size).toBe(held.length);
      }
    }),
  );
});

it('compares once for what comes in its order, and so often as its height for the rest', () => {
  let compared = 0;
  const heap = new Heap<number>((one, other) => {
    compared++;
    return one < other;
  });
  for (let i = 1; i <= 1 << 14; i++) heap.push(i);
  expect(compared).toBeLessThan(1 << 14);
  compared = 0;
  heap.push(0);
  expect(heap.shift()).toBe(0);
  expect(compared).toBeLessThanOrEqual(3 * 15);
});
