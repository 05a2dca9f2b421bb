/** The small pure parts: typing, rates, order, the best of many. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyInput, erase, inputOf, insert, moveCaret } from '../../../../src/cli/dashboard/model/input.ts';
import { orderOf } from '../../../../src/cli/dashboard/model/order.ts';
import { addFrame, addGap, emptyRates, POINT_EVERY } from '../../../../src/cli/dashboard/model/rates.ts';
import { Best } from '../../../../src/cli/dashboard/model/scan.ts';
import type { Said } from '../../../../src/cli/dashboard/model/state.ts';
import { foreignSession, NOW, node, session } from './world.ts';

describe('typing', () => {
  test('characters as people see them', () => {
    const family = '👨‍👩‍👧';
    const typed = insert(insert(emptyInput, '김'), `${family}é`);
    expect(typed.text).toBe(`김${family}é`);
    const left = moveCaret(moveCaret(typed, 'left'), 'left');
    expect(left.caret).toBe(1);
    expect(moveCaret(left, 'right').caret).toBe(1 + family.length);
    expect(erase(typed, 'back').text).toBe(`김${family}`);
    expect(erase(erase(typed, 'back'), 'back').text).toBe('김');
    expect(erase(left, 'forward').text).toBe('김é');
  });

  test('words, the line, and what was pasted', () => {
    expect(erase(inputOf('user:kim  chat '), 'word').text).toBe('user:kim  ');
    expect(erase(inputOf('one'), 'word')).toEqual({ text: '', caret: 0 });
    expect(erase({ text: 'abc', caret: 2 }, 'line')).toEqual({ text: 'c', caret: 0 });
    expect(insert(emptyInput, 'a\r\nb\t\x1b[31mc\u0000').text).toBe('a b [31mc');
  });

  test('the caret never leaves the text', () => {
    const edits = fc.constantFrom('left', 'right', 'start', 'end', 'back', 'forward', 'word', 'line');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(edits), (text, all) => {
        let input = inputOf(text);
        for (const one of all) {
          input = ['left', 'right', 'start', 'end'].includes(one)
            ? moveCaret(input, one as 'left')
            : erase(input, one as 'back');
          expect(input.caret).toBeGreaterThanOrEqual(0);
          expect(input.caret).toBeLessThanOrEqual(input.text.length);
        }
      }),
    );
  });
});

describe('rates', () => {
  const counted = (seconds: number, connects: number, kicks = 0) =>
    node('n1', { seenAt: NOW + seconds * 1000, connects, kicks, disconnects: 0, messages_in: 0, messages_out: 0 });
  const frame = (...nodes: ReturnType<typeof node>[]) => ({ nodes, sessions: 5, users: 3 });

  test('of two renewals, by the time between them; the same renewal again changes nothing', () => {
    let rates = addFrame(emptyRates(), frame(counted(0, 100)), NOW);
    expect(rates.perSecond).toBeNull();
    rates = addFrame(rates, frame(counted(2, 120)), NOW + 2000);
    expect(rates.perSecond?.connects).toBe(10);
    rates = addFrame(rates, frame(counted(2, 120)), NOW + 2500);
    expect(rates.perSecond?.connects).toBe(10);
    rates = addFrame(rates, frame(counted(4, 120)), NOW + 4000);
    expect(rates.perSecond?.connects).toBe(0);
  });

  test('are added up over nodes; one that says nothing, that is gone, or new counts nothing', () => {
    const other = (seconds: number, connects: number) => ({ ...counted(seconds, connects), name: 'n2' });
    const named = (one: ReturnType<typeof node>, incarnation: string) => ({
      ...one,
      info: one.info && { ...one.info, incarnation },
    });
    let rates = addFrame(emptyRates(), frame(counted(0, 0), named(other(0, 0), 'b')), NOW);
    rates = addFrame(rates, frame(counted(2, 20), named(other(2, 4), 'b')), NOW + 2000);
    expect(rates.perSecond?.connects).toBe(12);
    rates = addFrame(rates, frame(counted(2, 20), named(other(4, 900), 'started anew')), NOW + 4000);
    expect(rates.perSecond?.connects).toBe(10);
    rates = addFrame(rates, frame(node('n1', { alive: false }), node('n3')), NOW + 6000);
    expect(rates.perSecond).toBeNull();
  });

  test('kicks are counted from the start of the dashboard', () => {
    let rates = addFrame(emptyRates(), frame(counted(0, 0, 40)), NOW);
    rates = addFrame(rates, frame(counted(2, 0, 43)), NOW + 2000);
    rates = addFrame(rates, frame(counted(2, 0, 43)), NOW + 2500);
    expect(rates.kicked).toBe(3);
  });

  test('a point every two seconds, gaps while nothing is known, five minutes kept', () => {
    let rates = addFrame(emptyRates(), frame(), NOW);
    for (let i = 1; i <= 8; i++) rates = addFrame(rates, frame(), NOW + i * 500);
    expect(rates.series.sessions).toEqual([5, 5, 5]);
    rates = addGap(rates, NOW + 6000);
    rates = addFrame(rates, frame(), NOW + 12_000);
    expect(rates.series.sessions).toEqual([5, 5, 5, null, null, null, 5]);
    for (let i = 1; i <= 400; i++) rates = addFrame(rates, frame(), NOW + 12_000 + i * POINT_EVERY);
    expect(rates.series.sessions).toHaveLength(150);
    // A laptop that slept.
    rates = addFrame(rates, frame(), NOW + 1e9);
    expect(rates.series.sessions).toHaveLength(150);
  });
});

describe('order', () => {
  const nothing = { subscriptions: 0, destinations: [], recvCount: 0, sendCount: 0, recvOctets: 0, sendOctets: 0 };
  const said = (id: string, idle: number): [string, Said] => [id, { at: NOW, live: { ...nothing, idle } }];
  const a = session('a', { ago: 10, user: 'zoe', ttl: 500 });
  const b = session('b', { ago: 20, user: 'ann', ttl: null });
  const c = session('c', { ago: 30, user: 'kim', ttl: 100 });
  const f = foreignSession('f', 'bob');
  const facts = new Map([said('a', 50), said('b', 5), said('c', 500)]);
  const order = (by: 'connected' | 'idle' | 'user' | 'ttl', reversed = false) =>
    [f, c, a, b]
      .sort(orderOf({ by, reversed }, facts))
      .map(({ id }) => id)
      .join('');

  test('what is not known comes last, either way', () => {
    expect([order('connected'), order('connected', true)]).toEqual(['abcf', 'cbaf']);
    expect([order('idle'), order('idle', true)]).toEqual(['cabf', 'bacf']);
    expect([order('user'), order('user', true)]).toEqual(['bfca', 'acfb']);
    expect(order('ttl')).toBe('cafb');
    expect(order('ttl', true).at(-1)).toBe('b');
  });
});

test('the best of many, each once, and no more than that is kept', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), fc.integer({ min: 1, max: 20 }), (ages, most) => {
      const all = ages.map((ago) => session(`s${ago}`, { ago }));
      const compare = orderOf({ by: 'connected', reversed: false });
      const best = new Best(compare, most);
      for (let i = 0; i < all.length; i += 7) best.add(all.slice(i, i + 7));
      const unique = [...new Map(all.map((one) => [one.id, one])).values()];
      expect(best.list().map(({ id }) => id)).toEqual(
        unique
          .sort(compare)
          .slice(0, most)
          .map(({ id }) => id),
      );
      expect([...best.keptIds()].length).toBeLessThanOrEqual(2 * most + 7);
    }),
  );
});

test('the best are told anew only when they may be others', () => {
  const best = new Best((a, b) => (a.id < b.id ? -1 : 1), 2);
  best.add(['a', 'b', 'c', 'd', 'e'].map((id) => session(id)));
  expect(best.news(1)?.map(({ id }) => id)).toEqual(['a']);
  expect(best.news(1)).toBeNull();
  best.add([session('f'), session('g')]);
  expect([best.news(1), best.matched]).toEqual([null, 7]);
  best.add([session('A')]);
  expect(best.news(1)?.map(({ id }) => id)).toEqual(['A']);
});
