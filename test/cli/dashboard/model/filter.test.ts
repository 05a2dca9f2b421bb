import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Filter, fieldFilter, parseFilter } from '../../../../src/cli/dashboard/model/filter.ts';
import { foreignSession, session } from './world.ts';

const parsed = (text: string): Filter => {
  const filter = parseFilter(text);
  if (typeof filter === 'string') throw new Error(filter);
  return filter;
};
const agent = session('4ktq3m0a', {
  user: 'Kim Lee',
  role: 'AGENT',
  node: 'chat-1',
  ip: '10.1.4.7',
  userAgent: 'Chrome/156',
});
const fits = (text: string, one = agent) => parsed(text).fits(one);

describe('words', () => {
  test.each(['4ktq', 'KTQ3', 'kim', 'agent', 'chat-1', '10.1.', 'chrome', 'kim chat-1 10.1', '"Kim Lee"', ''])(
    '%s',
    (text) => {
      expect(fits(text)).toBe(true);
    },
  );
  test.each(['nobody', 'kim chat-2', '"Lee Kim"'])('not %s', (text) => {
    expect(fits(text)).toBe(false);
  });
  test('a foreign session has no node, address and agent', () => {
    expect(fits('strang', foreignSession('f1'))).toBe(true);
    expect(fits('chat', foreignSession('f1'))).toBe(false);
  });
  test('addresses have colons', () => {
    for (const text of ['fe80::1', 'abcd::7', '10.0.0.1:80']) expect(typeof parseFilter(text)).toBe('object');
    expect(fits('abcd::7', session('a', { ip: 'abcd::7' }))).toBe(true);
  });
});

describe('fields', () => {
  test.each(['user:"Kim Lee"', 'ROLE:AGENT', 'node:chat-*', 'node:*-1', 'ip:10.*.7', 'user:Kim*', 'user:* role:*'])(
    '%s',
    (text) => {
      expect(fits(text)).toBe(true);
    },
  );
  test.each([
    'user:Kim',
    'user:"kim lee"',
    'role:AGEN',
    'role:agent',
    'node:Chat-1',
    'node:Chat*',
    'node:chat',
    'ip:10.*.8',
    'node:chat-1*1',
    'user:"Kim*"',
    'role:""',
  ])('not %s', (text) => {
    expect(fits(text)).toBe(false);
  });
  test('what is shown where there is none; in quotes it is what is written', () => {
    expect(fits('node:(foreign)', foreignSession('f'))).toBe(true);
    expect(fits('role:(none)', foreignSession('f'))).toBe(true);
    expect(fits('node:(foreign)')).toBe(false);
    expect(fits('role:(none)')).toBe(false);
    expect(fits('role:"(none)"', foreignSession('f'))).toBe(false);
    expect(fits('role:"(none)"', { ...foreignSession('f'), role: '(none)' })).toBe(true);
  });
  test('empty quotes: those without', () => {
    expect(fits('role:""', foreignSession('f'))).toBe(true);
    expect(fits('node:""', foreignSession('f'))).toBe(true);
  });
});

test('what is looked up', () => {
  expect(parsed('user:kim role:AGENT')).toMatchObject({ user: 'kim', exact: [] });
  expect(parsed('user:"a*b"')).toMatchObject({ user: 'a*b' });
  expect(parsed('user:k*')).toMatchObject({ user: null, exact: [] });
  expect(parsed('4ktq3m0a role:AGENT')).toMatchObject({ user: null, exact: ['4ktq3m0a'] });
  expect(parsed('  ')).toMatchObject({ isSelective: false });
});

test.each([
  ['user:', 'user: what is missing after it'],
  ['role: x', 'role: what is missing after it'],
  ['"kim', 'a quote is not closed'],
  ['user:"kim', 'a quote is not closed'],
  ['room:lobby', 'no field room: there are user, role, node, ip; quote what has a colon'],
])('%s: %s', (text, fault) => {
  expect(parseFilter(text)).toBe(fault);
});

test('any user can be named by a filter, and is found by it alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (user, other) => {
      const filter = parsed(fieldFilter('user', user));
      expect(filter.user).toBe(user);
      expect(filter.fits(session('a', { user }))).toBe(true);
      expect(filter.fits(session('a', { user: other }))).toBe(other === user);
    }),
  );
});

test('any text is a filter or one line of fault, and stars cost no time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const filter = parseFilter(text);
      if (typeof filter === 'string') expect(filter).not.toMatch(/\n/);
      else filter.fits(agent);
    }),
  );
  const user = 'a'.repeat(2000);
  expect(parsed(`user:${'a*'.repeat(900)}b`).fits(session('x', { user }))).toBe(false);
});
