import { describe, expect, test } from 'vitest';
import { parseSource, parseTarget } from '../../../src/server/broker/destinations.ts';

describe('SEND', () => {
  test.each([
    ['/topic/a', { kind: 'topic', name: '/topic/a' }],
    ['/topic/a/b c', { kind: 'topic', name: '/topic/a/b c' }],
    ['/queue/a', { kind: 'queue', name: '/queue/a' }],
    ['/queue/a/b\nc', { kind: 'queue', name: '/queue/a/b\nc' }],
    ['/user/kim/queue/x', { kind: 'user', user: 'kim', name: '/user/queue/x' }],
    ['/user/queue/queue/x', { kind: 'user', user: 'queue', name: '/user/queue/x' }],
    ['/user/%EA%B9%80%2Fa%25/queue/x/y', { kind: 'user', user: '김/a%', name: '/user/queue/x/y' }],
    ['/user/a/queue/queue/x', { kind: 'user', user: 'a', name: '/user/queue/queue/x' }],
    ['/session/abc/queue/x', { kind: 'session', session: 'abc', name: '/user/queue/x' }],
    ['/all/queue/x', { kind: 'all', name: '/user/queue/x' }],
  ])('%j', (destination, target) => expect(parseTarget(destination)).toEqual(target));

  test.each([
    ...[
      '',
      '/',
      'queue/a',
      '/queue',
      '/queue/',
      '/topic/',
      '/user',
      '/user/',
      '/user/queue/x',
      '/user//queue/x',
      '/user/kim/x',
    ],
    ...[
      '/user/kim/queue/',
      '/user/kim/topic/x',
      '/user/a/b/queue/x',
      '/session/queue/x',
      '/all/kim/queue/x',
      '/all/queue/',
    ],
    ...[
      '/all/x',
      '/alle/queue/x',
      '/ws',
      '/ws/a',
      '/app/a',
      '/user/%/queue/x',
      '/user/%ff/queue/x',
      '/QUEUE/a',
      '__proto__',
    ],
  ])('%j is refused', (destination) => expect(parseTarget(destination).kind).toBe('unserved'));
});

describe('SUBSCRIBE', () => {
  test.each([
    ['/topic/a', { kind: 'topic', name: '/topic/a' }],
    ['/queue/a', { kind: 'queue', name: '/queue/a' }],
    ['/user/queue/x/y', { kind: 'own', name: '/user/queue/x/y' }],
    ['/user/queue/queue/x', { kind: 'own', name: '/user/queue/queue/x' }],
  ])('%j', (destination, source) => expect(parseSource(destination)).toEqual(source));

  test.each([
    ...[
      '/user/kim/queue/x',
      '/user/queue/',
      '/user/queue',
      '/user/*/queue/x',
      '/user/Queue/queue/x',
      '/session/abc/queue/x',
    ],
    ...['/all/queue/x', '/queue/', '/topic/', '/ws', '/app/a', '', '__proto__'],
  ])('%j is refused', (destination) => expect(parseSource(destination).kind).toBe('unserved'));
});
