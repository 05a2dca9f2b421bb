/** The floor (store and sessions) opened on a Redis of the test's own, and what its suites do by hand beside it. */
import { expect } from 'vitest';
import { WssessError } from '../../src/common/errors.ts';
import type { Details } from '../../src/sessions/model.ts';
import type { NodeInfo } from '../../src/sessions/nodes.ts';
import { openSessions, type Sessions } from '../../src/sessions/sessions.ts';
import { connect } from '../../src/store/connect.ts';
import type { TestRedis } from './redis.ts';

export const SECOND = 1000;
export const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;

/** Incarnations have 16 characters. */
export const INCARNATION = 'incarnation-0001';
export const OTHER_INCARNATION = 'incarnation-0002';

export async function openFloor(
  { url, prefix: own = 'ws' }: Pick<TestRedis, 'url' | 'prefix'>,
  prefix = own,
  timeout = 5000,
): Promise<Sessions> {
  return openSessions(await connect({ url, source: 'test', prefix, timeout, lasting: false }), prefix);
}

export function nodeInfo(over: Partial<NodeInfo> = {}): NodeInfo {
  return {
    name: 'n1',
    incarnation: INCARNATION,
    url: 'http://127.0.0.1:28070',
    host: 'box',
    pid: 4711,
    version: '0.1.0',
    started_at: '2026-01-02T03:04:05.000Z',
    sessions: 3,
    connects: 5,
    disconnects: 2,
    kicks: 1,
    messages_in: 40,
    messages_out: 400,
    loop_delay_ms: 1.5,
    cpu: 0.25,
    rss: 90_000_000,
    ...over,
  };
}

export function makeDetails(over: Partial<Details> = {}): Details {
  return {
    node: 'n1',
    incarnation: INCARNATION,
    user: 'kim',
    role: 'AGENT',
    ip: '10.1.2.3',
    port: 40_001,
    connectedAt: 1_763_761_914_123,
    version: '1.2',
    userAgent: 'stompjs',
    ttl: DAY,
    ...over,
  };
}

/** The three commands of the seed. @param seconds of the session key; null: without an end */
export async function writeByHand(
  redis: TestRedis,
  id: string,
  user: string,
  seconds: number | null = 86_400,
): Promise<void> {
  const { client } = redis;
  if (seconds === null) await client.set(`ws:session:${id}`, user);
  else await client.set(`ws:session:${id}`, user, 'EX', seconds);
  await client.sadd(`ws:user:${user}`, id);
  await client.sadd('ws:sessions:all', id);
}

/** Every key with its type, its value and when it ends (PEXPIRETIME): two that are equal show that nothing was written. */
export async function dump({
  client,
}: TestRedis): Promise<Record<string, [type: string, value: unknown, end: number]>> {
  const all: Record<string, [string, unknown, number]> = {};
  for (const key of (await client.keys('*')).sort()) {
    const type = await client.type(key);
    const readers: Record<string, () => Promise<unknown>> = {
      string: () => client.get(key),
      set: async () => (await client.smembers(key)).sort(),
      zset: () => client.zrange(key, 0, -1, 'WITHSCORES'),
      list: () => client.lrange(key, 0, -1),
    };
    all[key] = [type, await readers[type]?.(), await endOf({ client }, key)];
  }
  return all;
}

/** When a key ends, in milliseconds since 1970; -1: never, -2: there is none. */
export async function endOf({ client }: Pick<TestRedis, 'client'>, key: string): Promise<number> {
  return (await client.call('PEXPIRETIME', key)) as number;
}

/** Milliseconds by which two readings of the clock at the same time may differ, rounding included. */
export const SLACK = 50;

/** Does something that sets TTLs; the result checks that a key's TTL was set by it, to the millisecond. */
export async function timed(act: () => Promise<unknown>): Promise<(end: number, ttl: number) => void> {
  const before = Date.now();
  await act();
  const after = Date.now();
  return (end, ttl) => {
    expect(end).toBeGreaterThanOrEqual(before + ttl - SLACK);
    expect(end).toBeLessThanOrEqual(after + ttl + SLACK);
  };
}

/** The WssessError that something rejects with. */
export async function faultOf(work: Promise<unknown> | (() => unknown)): Promise<WssessError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    expect(error).toBeInstanceOf(WssessError);
    return error as WssessError;
  }
  throw new Error('it did not fail');
}

/** The same object, with `before` called ahead of one of its methods: what another client does at the worst moment. */
export function meddle<T extends object>(target: T, method: keyof T, before: (...args: any[]) => unknown): T {
  return new Proxy(target, {
    get(_, name) {
      const value = target[name as keyof T];
      if (typeof value !== 'function') return value;
      if (name !== method) return value.bind(target);
      return async (...args: unknown[]) => {
        await before(...args);
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
