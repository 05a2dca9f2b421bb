/** Acknowledgements against a model: a plain list of deliveries, each with its state. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Delivery, Unacked } from '../../../src/server/broker/unacked.ts';

type Sub = { name: string };
type One = Delivery<Sub, { id: string }>;
type State = 'free' | 'taken' | 'over';

class Model {
  real = new Unacked<Sub, { id: string }>();
  subscriptions: Sub[] = [];
  all: { one: One; state: State }[] = [];
  taken: One[][] = [];

  pick<T>(from: readonly T[], at: number): T | undefined {
    return from[at % Math.max(1, from.length)];
  }

  stateOf(one: One) {
    return this.all.find((entry) => entry.one === one)!;
  }

  /** What an ACK of this one means. */
  meant({ one }: { one: One }, cumulative: boolean): One[] {
    const free = this.all.filter(
      ({ one: other, state }) => state === 'free' && other.subscription === one.subscription,
    );
    return free.map((entry) => entry.one).filter((other) => (cumulative ? other.order <= one.order : other === one));
  }

  check() {
    expect(this.real.size).toBe(this.all.filter(({ state }) => state !== 'over').length);
    for (const { one, state } of this.all) {
      const found = state === 'free' ? one : undefined;
      expect(this.real.byAck(one.ack)).toBe(found);
      expect(this.real.bySubscription(one.subscription, one.message.id)).toBe(found);
      const first = this.all
        .filter((other) => other.state === 'free' && other.one.message.id === one.message.id)
        .sort(
          (a, b) => this.subscriptions.indexOf(a.one.subscription) - this.subscriptions.indexOf(b.one.subscription),
        );
      expect(this.real.byMessage(one.message.id)).toBe(first[0]?.one);
    }
  }
}

const number = fc.nat({ max: 1000 });
const acts = fc.array(
  fc.record({
    what: fc.constantFrom('open', 'add', 'add', 'add', 'take', 'take', 'settle', 'giveBack', 'drop'),
    at: number,
    cumulative: fc.boolean(),
  }),
  { maxLength: 60 },
);

test('every delivery is free, taken or over, as in a list; ACK means one or all before it; given back, all is as it was', () => {
  fc.assert(
    fc.property(acts, (all) => {
      const model = new Model();
      const { real } = model;
      let messages = 0;
      for (const { what, at, cumulative } of all) {
        const subscription = model.pick(model.subscriptions, at);
        if (what === 'open') {
          const opened = { name: `s${at}` };
          real.open(opened);
          model.subscriptions.push(opened);
        } else if (what === 'add' && subscription) {
          // Two subscriptions may get the same message.
          const id = `m${cumulative ? ++messages : messages}`;
          if (model.all.some(({ one }) => one.subscription === subscription && one.message.id === id)) continue;
          model.all.push({ one: real.add(subscription, { id }), state: 'free' });
        } else if (what === 'take') {
          const free = model.pick(
            model.all.filter(({ state }) => state === 'free'),
            at,
          );
          if (!free) continue;
          const meant = model.meant(free, cumulative);
          const taken = real.take(free.one, cumulative);
          expect(taken).toEqual(meant);
          for (const one of taken) model.stateOf(one).state = 'taken';
          model.taken.push(taken);
        } else if ((what === 'settle' || what === 'giveBack') && model.taken.length > 0) {
          const [taken] = model.taken.splice(at % model.taken.length, 1);
          if (what === 'settle') real.settle(taken!);
          const orphans = what === 'giveBack' ? real.giveBack(taken!) : taken!;
          if (what === 'giveBack') {
            expect(orphans).toEqual(taken!.filter((one) => !model.subscriptions.includes(one.subscription)));
          }
          for (const one of taken!) model.stateOf(one).state = orphans.includes(one) ? 'over' : 'free';
        } else if (what === 'drop' && subscription) {
          const lost = model.all.filter(({ one, state }) => one.subscription === subscription && state === 'free');
          expect(real.drop(subscription)).toEqual(lost.map(({ one }) => one));
          for (const entry of lost) entry.state = 'over';
          model.subscriptions.splice(model.subscriptions.indexOf(subscription), 1);
        }
        model.check();
      }
      const acks = model.all.map(({ one }) => one.ack);
      expect(new Set(acks).size).toBe(acks.length);
    }),
    { numRuns: 300 },
  );
});
