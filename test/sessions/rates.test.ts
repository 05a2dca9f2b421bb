/** What nodes count, from frame to frame. */
import { expect, test } from 'vitest';
import type { NodeLoad } from '../../src/sessions/known-nodes.ts';
import { NO_LOAD, type NodeInfo } from '../../src/sessions/nodes.ts';
import { Rates } from '../../src/sessions/rates.ts';
import { nodeInfo, OTHER_INCARNATION } from '../helpers/floor.ts';

const node = (seenAt: number, info: Partial<NodeInfo> | null, name = 'n1'): NodeLoad => ({
  name,
  alive: info !== null,
  seenAt,
  info: info && nodeInfo({ name, connects: 0, disconnects: 0, messages_out: 0, ...info }),
  sessions: 0,
});

test('the first frame knows no change; the next ones tell what was counted between, each event once', () => {
  const rates = new Rates();
  expect(rates.next([node(1000, { connects: 10, disconnects: 4 })])).toEqual({
    connects: null,
    disconnects: null,
    messages: null,
  });
  expect(rates.next([node(1000, { connects: 10, disconnects: 4 })])).toMatchObject({ connects: 0, disconnects: 0 });
  expect(rates.next([node(3000, { connects: 13, disconnects: 5 })])).toMatchObject({ connects: 3, disconnects: 1 });
  expect(rates.next([node(3000, { connects: 13, disconnects: 5 })])).toMatchObject({ connects: 0, disconnects: 0 });
});

test('messages a second are those between two renewals, held until the next one', () => {
  const rates = new Rates();
  const messages = (...nodes: NodeLoad[]) => rates.next(nodes).messages;
  expect(messages(node(1000, { messages_out: 100 }))).toBeNull();
  expect(messages(node(3000, { messages_out: 500 }))).toBe(200);
  expect(messages(node(3000, { messages_out: 500 }))).toBe(200);
  expect(messages(node(5000, { messages_out: 500 }), node(5000, { messages_out: 9 }, 'n2'))).toBe(0);
  expect(messages(node(7000, { messages_out: 502 }), node(7000, { messages_out: 29 }, 'n2'))).toBe(11);
});

test('a process that is new counts from 0; one whose lease was away goes on where it was', () => {
  const rates = new Rates();
  rates.next([node(1000, { connects: 10 })]);
  expect(rates.next([node(2000, { connects: 3, incarnation: OTHER_INCARNATION })])).toMatchObject({ connects: 3 });
  expect(rates.next([node(2000, null)])).toMatchObject({ connects: 0 });
  expect(rates.next([node(9000, { connects: 5, incarnation: OTHER_INCARNATION })])).toMatchObject({ connects: 2 });
  expect(rates.next([])).toEqual({ connects: 0, disconnects: 0, messages: null });
});

test('a version that says nothing of its load counts nothing', () => {
  const rates = new Rates();
  for (const at of [1000, 3000]) {
    expect(rates.next([node(at, NO_LOAD)]).connects ?? 0).toBe(0);
  }
});
