/** Who is in the crowd: the same for the same seed, and as mixed as a real one. */
import { describe, expect, test } from 'vitest';
import { shortAgent } from '../../src/cli/output/agent.ts';
import { type Device, devices, seeded } from '../../src/demo/people.ts';

const KOREAN = /^[가-힣]{3}\d*$/;

describe('devices', () => {
  const crowd = devices(400, seeded(1));
  const byUser = grouped(crowd);

  test('at least as many as asked for; all devices of one user together, so at most two more', () => {
    for (const count of [1, 2, 40, 400]) {
      const { length } = devices(count, seeded(count));
      expect(length).toBeGreaterThanOrEqual(count);
      expect(length).toBeLessThanOrEqual(count + 2);
    }
  });

  test('the same seed gives the same crowd, another one another', () => {
    expect(devices(100, seeded(7))).toEqual(devices(100, seeded(7)));
    expect(devices(100, seeded(7))).not.toEqual(devices(100, seeded(8)));
  });

  test('Korean names and customer numbers, each for one user only, even in the largest crowd', () => {
    for (const user of byUser.keys()) expect(user).toMatch(/^([가-힣]{3}|cust\d{4})\d*$/);
    expect([...byUser.keys()].filter((user) => KOREAN.test(user)).length).toBeGreaterThan(byUser.size / 2);
    const large = devices(10_020, seeded(1));
    // Each user's devices stand together: a name that comes again would be another person's.
    const starts = large.filter(({ user }, at) => user !== large[at - 1]?.user);
    expect(new Set(starts.map(({ user }) => user)).size).toBe(starts.length);
  });

  test('agents and customers; an agent has more rooms', () => {
    const agents = crowd.filter(({ role }) => role === 'AGENT').length;
    expect(agents).toBeGreaterThan(20);
    expect(agents).toBeLessThan(160);
    for (const { role, topics } of crowd) {
      expect(['AGENT', 'CUSTOMER']).toContain(role);
      expect(topics.at(-1)).toBe('/topic/notice');
      expect(topics.length).toBeLessThanOrEqual(role === 'AGENT' ? 4 : 2);
      for (const topic of topics.slice(0, -1)) expect(topic).toMatch(/^\/topic\/room\/order-\d+$/);
    }
    expect(crowd.some(({ topics }) => topics.length === 4)).toBe(true);
  });

  test('one, two and three devices; one user has one role', () => {
    expect(new Set([...byUser.values()].map(({ length }) => length))).toEqual(new Set([1, 2, 3]));
    for (const own of byUser.values()) expect(new Set(own.map(({ role }) => role)).size).toBe(1);
  });

  test('each habit, and agent strings that the CLI knows', () => {
    expect(new Set(crowd.map(({ habit }) => habit))).toEqual(new Set(['talks', 'listens', 'idles']));
    const known = new Set(crowd.map(({ agent }) => shortAgent(agent)));
    expect(known.size).toBeGreaterThan(8);
    for (const agent of known) expect(agent).toMatch(/^[A-Z][A-Za-z ]+ \d+, (Windows|macOS|Linux|Android|iOS)$/);
  });
});

test('random numbers are spread from 0 to 1, without 1', () => {
  const random = seeded(3);
  const tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) tenths[Math.floor(random() * 10)]!++;
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

function grouped(all: Device[]): Map<string, Device[]> {
  const groups = new Map<string, Device[]>();
  for (const device of all) groups.set(device.user, [...(groups.get(device.user) ?? []), device]);
  return groups;
}
