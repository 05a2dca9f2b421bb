/** What a URL names: each scheme's parts, and one usage error, which shows no password, for all that is none. */
import { describe, expect, test } from 'vitest';
import { WssessError } from '../../src/common/errors.ts';
import { parseUrl } from '../../src/store/address.ts';

const faultOf = (url: string): WssessError => {
  try {
    parseUrl(url, 'WSSESS_REDIS_URL');
  } catch (error) {
    if (error instanceof WssessError) return error;
    throw error;
  }
  throw new Error(`${url} was taken`);
};

describe('a URL names', () => {
  test.each([
    ['redis://localhost', { kind: 'redis', tls: false, hosts: ['localhost 6379'], where: 'localhost:6379' }],
    ['REDISS://localhost:1/2', { kind: 'redis', tls: true, hosts: ['localhost 1'], db: 2, where: 'localhost:1/2' }],
    ['redis://[::1]:7000', { hosts: ['::1 7000'], where: '[::1]:7000' }],
    ['redis://u%40x:p%2Fw%23@h', { username: 'u@x', password: 'p/w#', where: 'h:6379' }],
    ['redis://:p@h/15', { password: 'p', db: 15 }],
    [
      'redis-sentinel://a,b:1,[::1]#mymaster',
      {
        kind: 'sentinel',
        tls: false,
        hosts: ['a 26379', 'b 1', '::1 26379'],
        master: 'mymaster',
        where: 'a:26379,b:1,[::1]:26379#mymaster',
      },
    ],
    [
      'rediss-sentinel://u:p,w@a,b/3#my.master-1',
      {
        kind: 'sentinel',
        tls: true,
        hosts: ['a 26379', 'b 26379'],
        username: 'u',
        password: 'p,w',
        db: 3,
        master: 'my.master-1',
        where: 'a:26379,b:26379/3#my.master-1',
      },
    ],
    [
      'redis-sentinel://:p@a?sentinel_username=s&sentinel_password=g%26%23#m',
      { password: 'p', guard: { db: 0, username: 's', password: 'g&#' }, master: 'm', where: 'a:26379#m' },
    ],
    ['redis-cluster://a,b:1', { kind: 'cluster', tls: false, hosts: ['a 6379', 'b 1'], where: 'a:6379,b:1' }],
    [
      'rediss-cluster://u:p@a:1/0',
      { kind: 'cluster', tls: true, hosts: ['a 1'], username: 'u', password: 'p', where: 'a:1' },
    ],
  ])('%s', (url, wanted) => {
    const { kind, tls, hosts, entry, master, sentinel: guard, where } = parseUrl(url, 'test');
    const found = {
      kind,
      tls,
      hosts: hosts.map(({ host, port }) => `${host} ${port}`),
      ...entry,
      master,
      guard,
      where,
    };
    expect(found).toMatchObject(wanted);
    expect(where).not.toContain('p,w');
  });
});

describe('refused, with the form that its scheme has', () => {
  test.each([
    ['redis://a,b', 'names several hosts', 'redis://'],
    ['redis://a#m', 'has a part behind #', 'redis://'],
    ['redis-sentinel://a', 'does not name the master', '#master'],
    ['redis-sentinel://a#', 'does not name the master', '#master'],
    ['redis-sentinel://a#my%20master', 'names a master that none can be called', '#master'],
    ['redis-sentinel://a,#m', 'names no host', '#master'],
    ['redis-sentinel://,a#m', 'names no host', '#master'],
    ['redis-sentinel://#m', 'names no host', '#master'],
    ['redis-sentinel://a:x,b#m', 'is not a URL', '#master'],
    ['redis-sentinel://a,b:70000#m', 'is not a URL', '#master'],
    ['redis-sentinel://a b#m', 'is not a URL', '#master'],
    ['redis-sentinel://a/name#m', 'names a database that is not a number', '#master'],
    ['redis-sentinel://a/1/2#m', 'names a database that is not a number', '#master'],
    ['redis-sentinel://a?master=m#m', 'has parameters', '#master'],
    ['redis-sentinel://a,u:secret@b#m', 'names a user behind a host', '#master'],
    ['redis-sentinel://u:se%cret@b#m', 'has a % that encodes nothing', '#master'],
    ['redis-cluster://a,b/1', 'a Cluster has but 0', 'redis-cluster://'],
    ['redis-cluster://a#m', 'has a part behind #', 'redis-cluster://'],
    ['redis-cluster://a?sentinel_password=secret', 'has parameters', 'redis-cluster://'],
    ['redis+sentinel://:secret@a#m', 'is not a redis:// URL', 'redis://'],
    ['sentinel://:secret@a', 'is not a redis:// URL', 'redis://'],
  ])('%s: %s', (url, why, form) => {
    const { code, message, advice } = faultOf(url);
    expect(code).toBe('usage');
    expect(message).toMatch(/^WSSESS_REDIS_URL: "/);
    expect(message).toContain(why);
    expect(advice).toContain(form);
    expect(`${message} ${advice}`).not.toMatch(/secret|se%cret/);
  });
});

test.each(['localhost', 'localhost:6379', 'redis.example.com', 'redis-1:6379/2', '10.0.0.5'])(
  'of %s only the scheme is missing, and that is advised',
  (url) => expect(faultOf(url).advice).toBe(`Write it as redis://${url}`),
);

test.each(['nonsense', 'user:secret@host:6379', 'a b:6379', ':6379', 'host:port'])(
  'of %s it is advised how a URL is written',
  (url) => {
    const { message, advice } = faultOf(url);
    expect(advice).toContain('redis://[user[:password]@]host');
    expect(message + advice).not.toContain('secret');
  },
);
