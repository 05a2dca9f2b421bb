/** Transactions against a model: a record of lists. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Transactions } from '../../../src/server/broker/transactions.ts';
import { Refusal } from '../../../src/server/refusal.ts';

const LIMITS = { maxTransactions: 3, maxTransactionBytes: 100 };
const names = fc.constantFrom('a', 'b', 'c', 'd', '__proto__');
const acts = fc.array(
  fc.oneof(
    fc.record({
      what: fc.constantFrom('begin' as const, 'take' as const, 'takeAll' as const),
      name: names,
      bytes: fc.constant(0),
    }),
    fc.record({ what: fc.constant('add' as const), name: names, bytes: fc.nat({ max: 60 }) }),
  ),
  { maxLength: 50 },
);

test('steps come out once, in their order, by their own transaction; nothing beyond the limits is kept', () => {
  fc.assert(
    fc.property(acts, (all) => {
      const real = new Transactions<number>(LIMITS);
      const model = new Map<string, { steps: number[]; bytes: number }>();
      const held = () => [...model.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      all.forEach((act, step) => {
        const open = model.get(act.name);
        if (act.what === 'takeAll') {
          expect(real.takeAll()).toEqual([...model.values()].flatMap(({ steps }) => steps));
          model.clear();
        } else if (act.what === 'begin') {
          const may = !open && model.size < LIMITS.maxTransactions;
          if (!may) expect(() => real.begin(act.name)).toThrow(Refusal);
          else real.begin(act.name);
          if (may) model.set(act.name, { steps: [], bytes: 0 });
        } else if (act.what === 'take') {
          if (!open) expect(() => real.take(act.name)).toThrow(Refusal);
          else expect(real.take(act.name)).toEqual(open.steps);
          model.delete(act.name);
        } else if (!open || held() + act.bytes > LIMITS.maxTransactionBytes) {
          expect(() => real.add(act.name, step, act.bytes)).toThrow(Refusal);
        } else {
          real.add(act.name, step, act.bytes);
          open.steps.push(step);
          open.bytes += act.bytes;
        }
        for (const [name, { steps }] of model) expect(real.steps(name)).toEqual(steps);
      });
    }),
    { numRuns: 500 },
  );
});
