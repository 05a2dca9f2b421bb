/** Connects a second from one address. */
import { expect, it } from 'vitest';
import { ConnectRate } from '../../src/server/connect-rate.ts';

function clocked(rate: number) {
  const clock = { now: 0 };
  const limit = new ConnectRate(rate, () => clock.now);
  const allowed = (address: string, tries: number) =>
    Array.from({ length: tries }, () => limit.allows(address)).filter(Boolean).length;
  return { clock, allowed };
}

it('lets as many through as the rate, and again as time goes by', () => {
  const { clock, allowed } = clocked(10);
  expect(allowed('203.0.113.7', 25)).toBe(10);
  clock.now += 500;
  expect(allowed('203.0.113.7', 25)).toBe(5);
  clock.now += 60_000;
  expect(allowed('203.0.113.7', 25)).toBe(10);
});

it('counts each address alone; IPv4 in IPv6 is the same address, one /64 of IPv6 is one', () => {
  const { allowed } = clocked(2);
  expect(allowed('203.0.113.7', 5)).toBe(2);
  expect(allowed('::ffff:203.0.113.7', 5)).toBe(0);
  expect(allowed('203.0.113.8', 5)).toBe(2);
  expect(allowed('2001:db8:1:2::1', 1) + allowed('2001:db8:1:2:3:4:5:6', 5)).toBe(2);
  expect(allowed('2001:db8:1:3::1', 5)).toBe(2);
});

it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])('%s is exempt', (address) => {
  expect(clocked(1).allowed(address, 50)).toBe(50);
});

it('0 is no limit', () => {
  expect(clocked(0).allowed('203.0.113.7', 5000)).toBe(5000);
});

it('forgets who was quiet, and holds a bounded number of those who are not', () => {
  const { clock, allowed } = clocked(1);
  for (let i = 0; i < 100_001; i++) allowed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1);
  expect(allowed('10.0.0.0', 1)).toBe(1); // the oldest one had to go
  expect(allowed('10.0.0.9', 1)).toBe(0);
  clock.now += 1000;
  expect(allowed('10.0.0.9', 1)).toBe(1);
});
