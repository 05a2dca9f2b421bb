/** The poller by a clock of the test's own: when it asks, what it asks, how it goes on, and that it ends. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Asks } from '../../../../src/cli/dashboard/model/actions.ts';
import type { Context } from '../../../../src/cli/dashboard/model/effects/context.ts';
import { poll } from '../../../../src/cli/dashboard/model/effects/poller.ts';
import { createStore, type Store } from '../../../../src/cli/dashboard/model/store.ts';
import { WssessError } from '../../../../src/common/errors.ts';
import type { Frame } from '../../../../src/sessions/overview.ts';
import { session, start, World } from './world.ts';

let world: World;
let store: Store;
let end: AbortController;
let done: Promise<void>;
/** What was asked, and when. */
let asked: { at: number; asks: Omit<Asks, 'view'> }[];
/** Milliseconds that Redis takes. */
let takes: number;
let fault: WssessError | Error | undefined;
let under: number;
let most: number;

async function frame(asks: Omit<Asks, 'view'> = {}): Promise<Frame> {
  asked.push({ at: performance.now(), asks });
  most = Math.max(most, ++under);
  const answer = world.answer(asks);
  await new Promise((wake) => setTimeout(wake, takes));
  under--;
  if (fault) throw fault;
  return { ...answer, took: takes / 2 };
}

beforeEach(() => {
  vi.useFakeTimers();
  world = new World();
  for (let i = 0; i < 500; i++) world.add(session(`s${String(i).padStart(3, '0')}`, { ago: 60 + i }));
  [asked, takes, fault, under, most] = [[], 1, undefined, 0, 0];
  store = createStore(start());
  end = new AbortController();
  done = poll({ store, overview: { frame }, signal: end.signal } as unknown as Context);
});

afterEach(async () => {
  end.abort();
  await vi.advanceTimersByTimeAsync(20_000);
  await done;
  vi.useRealTimers();
});

/** Frames asked for in a stretch of time. */
async function countIn(ms: number): Promise<number> {
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(ms);
  return asked.length - before;
}

describe('how often', () => {
  test('two frames a second, never two at a time', async () => {
    expect(await countIn(10_000)).toBe(20);
    takes = 300;
    await countIn(1000);
    expect(await countIn(15_000)).toBe(10); // 300 ms, and four times that until the next
    expect(most).toBe(1);
  });

  test('at once when a key leads to rows that are not at hand, by one answer', async () => {
    await countIn(100);
    store.dispatch({ type: 'edge', to: 'last' });
    expect(await countIn(0)).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(store.get().sessions.cursor).toBe('s499');
    expect(await countIn(300)).toBe(0);
    store.dispatch({ type: 'move', by: -1 });
    expect(await countIn(100)).toBe(0);
  });

  test('keys pressed while a frame is under way are answered by the next, at once', async () => {
    await countIn(100);
    takes = 40;
    store.dispatch({ type: 'edge', to: 'last' });
    await countIn(10);
    for (let i = 0; i < 30; i++) store.dispatch({ type: 'page', by: -1 });
    expect(await countIn(40)).toBe(1);
    await vi.advanceTimersByTimeAsync(40);
    expect(store.get().sessions).toMatchObject({ cursor: 's349', jump: null });
    expect(most).toBe(1);
  });

  test('a screen that cannot be filled is no reason to hurry', async () => {
    for (const { id } of world.sessions.slice(3)) world.dead.add(id);
    await countIn(1000);
    store.dispatch({ type: 'edge', to: 'last' });
    expect(await countIn(5000)).toBeLessThanOrEqual(12);
  });
});

describe('what is asked', () => {
  const last = () => asked.at(-1)!.asks;

  test('the window on the screen, with the row under the cursor to be kept in sight', async () => {
    await countIn(1000);
    store.dispatch({ type: 'move', by: 7 });
    await countIn(1000);
    const { sessions } = last();
    expect(sessions).toMatchObject({ top: 0, oldestFirst: false, keep: { id: 's007', row: 7 } });
    expect(sessions!.rows).toBeLessThanOrEqual(5 * 3);
    expect(last().users).toBeUndefined();
  });

  test('in another pane nothing of the sessions; over details that session alone', async () => {
    await countIn(1000);
    store.dispatch({ type: 'go', to: 'users' });
    await countIn(600);
    expect(Object.keys(last())).toEqual(['view', 'users']);
    store.dispatch({ type: 'go', to: 'nodes' });
    await countIn(600);
    expect(Object.keys(last())).toEqual(['view']);
    store.dispatch({ type: 'go', to: 'sessions' });
    store.dispatch({ type: 'open' });
    await countIn(600);
    expect(last()).toMatchObject({ look: ['s000'] });
    expect(last().sessions).toBeUndefined();
  });

  test('of rows that were walked for, those on the screen', async () => {
    await countIn(1000);
    store.dispatch({ type: 'prompt', kind: 'filter' });
    store.dispatch({ type: 'text', text: 's00' });
    await countIn(600);
    expect(last().sessions).toBeUndefined();
    expect(last().look).toEqual(['s000', 's001', 's002', 's003', 's004']);
  });
});

describe('faults', () => {
  test('stale since the last answer; it goes on asking, and is live again by itself', async () => {
    await countIn(1000);
    const { cursor } = store.get().sessions;
    const since = store.get().answeredAt;
    fault = new WssessError('redis_unreachable', 'Redis at x cannot be reached');
    await countIn(5000);
    expect(store.get().link).toMatchObject({ state: 'stale', since, why: 'Redis at x cannot be reached' });
    expect(store.get().sessions.lines.length).toBeGreaterThan(0);
    expect(await countIn(5000)).toBe(5);
    fault = undefined;
    await countIn(1100);
    expect(store.get().link).toMatchObject({ state: 'live' });
    expect(store.get().sessions.cursor).toBe(cursor);
  });

  test('a slow Redis is called slow', async () => {
    takes = 600;
    await countIn(2000);
    expect(store.get().link.state).toBe('slow');
  });

  test('while an answer is outstanding, time is told each second', async () => {
    await countIn(100);
    takes = 8000;
    await countIn(600);
    const [{ now }, told] = [store.get(), [] as number[]];
    const endListening = store.subscribe((state, { type }) => type === 'tick' && told.push(state.now));
    await countIn(4000);
    endListening();
    expect(told).toHaveLength(4);
    expect(told.at(-1)! - now).toBeGreaterThanOrEqual(3000);
  });

  test('a fault of ours ends it', async () => {
    fault = new TypeError('oops');
    const failed = done.catch((error: unknown) => error);
    done = Promise.resolve();
    await countIn(1000);
    expect(await failed).toBe(fault);
  });
});

test('it ends at once, with no timer left, and what comes late is not heard', async () => {
  await countIn(1100);
  end.abort();
  await vi.advanceTimersByTimeAsync(0);
  await done;
  expect(vi.getTimerCount()).toBe(0);

  takes = 5000;
  end = new AbortController();
  done = poll({ store, overview: { frame }, signal: end.signal } as unknown as Context);
  await countIn(10);
  const before = store.get();
  end.abort();
  await countIn(6000);
  await done;
  expect(store.get()).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
});
