/** rediss:// to a Redis with certificates of a CA of the test's own: trusted when named, refused in one line when not. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import type { Store } from '../../src/store/store.ts';
import { faultOf } from '../helpers/floor.ts';
import { wssess } from '../helpers/program.ts';
import { freePort } from '../helpers/redis.ts';
import { Group } from '../helpers/redis-group.ts';
import { Certificates, describeWithTls, startTlsRedis, type TlsRedis } from '../helpers/redis-tls.ts';

describeWithTls('TLS', () => {
  let certificates: Certificates;
  /** Of localhost. */
  let redis: TlsRedis;
  const stores: Store[] = [];
  const ends: (() => unknown)[] = [];
  const started = async (...args: Parameters<typeof startTlsRedis>) => {
    const one = await startTlsRedis(...args);
    ends.unshift(() => one.stop());
    return one;
  };
  beforeAll(async () => {
    certificates = new Certificates();
    redis = await startTlsRedis(certificates.ca, certificates.issue('localhost', 'DNS:localhost'));
  });
  afterAll(async () => {
    await redis?.stop();
    certificates?.remove();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) store.close();
    for (const end of ends.splice(0)) await end();
  });
  const open = async (
    host: string,
    port: number,
    files: Record<string, string> = {},
    { scheme = 'rediss', rest = '' } = {},
  ): Promise<Store> => {
    const pem = Object.entries(files).map(([name, file]) => [name, readFileSync(file, 'utf8')]);
    const tls = pem.length > 0 ? { files: 'WSSESS_REDIS_CA', ...Object.fromEntries(pem) } : undefined;
    const url = `${scheme}://${host}:${port}${rest}`;
    const store = await connect({ url, source: 'test', tls, timeout: 2000, lasting: false });
    stores.push(store);
    return store;
  };

  test('with its CA named it is spoken to, by every kind of connection', async () => {
    const store = await open('localhost', redis.tlsPort, { ca: certificates.ca });
    expect(await store.call('SET', 'a', 'over TLS')).toBe('OK');
    expect(await redis.client.get('a')).toBe('over TLS');
    expect(await store.pop('none', 10)).toBeUndefined();
    const end = await store.subscribe(['a'], () => {});
    end();
  });

  test('without it, it is trusted by nobody: told with advice, no command was sent', async () => {
    const before = await redis.client.info('stats');
    const fault = await faultOf(open('localhost', redis.tlsPort));
    expect([fault.code, fault.exit, fault.message]).toEqual([
      'redis_unreachable',
      5,
      `Redis at localhost:${redis.tlsPort} cannot be reached: its certificate is signed by nobody whom this machine trusts`,
    ]);
    expect(fault.advice).toContain('WSSESS_REDIS_CA');
    const processed = (text: string) => Number(/total_commands_processed:(\d+)/.exec(text)?.[1]);
    expect(processed(await redis.client.info('stats'))).toBe(processed(before) + 1);
  });

  test('a name or an address that the certificate does not hold is refused', async () => {
    const fault = await faultOf(open('127.0.0.1', redis.tlsPort, { ca: certificates.ca }));
    expect([fault.code, fault.message]).toEqual([
      'redis_unreachable',
      `Redis at 127.0.0.1:${redis.tlsPort} cannot be reached: its certificate is not for 127.0.0.1`,
    ]);
    expect(fault.advice).toContain('subjectAltName');
    const byAddress = await started(certificates.ca, certificates.issue('address', 'IP:127.0.0.1'));
    expect(await (await open('127.0.0.1', byAddress.tlsPort, { ca: certificates.ca })).call('PING')).toBe('PONG');
    const named = await faultOf(open('localhost', byAddress.tlsPort, { ca: certificates.ca }));
    expect(named.message).toContain('its certificate is not for localhost');
  });

  test('one that signed itself is refused, unless it is what is trusted', async () => {
    const self = { cert: certificates.ca, key: join(certificates.folder, 'ca.key') };
    const own = await started(certificates.ca, self);
    const fault = await faultOf(open('localhost', own.tlsPort));
    expect(fault.message).toContain('signed by nobody whom this machine trusts');
  });

  test('one that has run out is refused', async () => {
    const old = await started(certificates.ca, certificates.issue('old', 'DNS:localhost', 0));
    const fault = await faultOf(open('localhost', old.tlsPort, { ca: certificates.ca }));
    expect(fault.message).toContain('its certificate has expired');
  });

  test('a Redis that asks for a certificate gets the one that is named; without one it is told', async () => {
    const strict = await started(certificates.ca, certificates.issue('strict', 'DNS:localhost'), 'yes');
    // TLS 1.3 says so behind the handshake.
    const fault = await faultOf(async () =>
      (await open('localhost', strict.tlsPort, { ca: certificates.ca })).call('PING'),
    );
    expect([fault.code, fault.message]).toEqual([
      'redis_unreachable',
      `Redis at localhost:${strict.tlsPort} cannot be reached: it wants a certificate of its client`,
    ]);
    expect(fault.advice).toContain('--redis-cert');
    const mine = certificates.issue('client', 'DNS:client');
    const store = await open('localhost', strict.tlsPort, { ca: certificates.ca, ...mine });
    expect(await store.call('PING')).toBe('PONG');
  });

  test('Sentinels are asked, and their master is spoken to, over TLS alone', async () => {
    const pair = certificates.issue('set', 'IP:127.0.0.1,DNS:localhost');
    const master = await started(certificates.ca, pair);
    const group = new Group();
    ends.unshift(() => group.stop());
    const tlsPort = await freePort();
    await group.add((port) => {
      const file = join(group.folder, 'sentinel.conf');
      const lines = [
        ...[`port ${port}`, `tls-port ${tlsPort}`, 'tls-replication yes', 'tls-auth-clients no', `dir ${group.folder}`],
        ...[`tls-cert-file ${pair.cert}`, `tls-key-file ${pair.key}`, `tls-ca-cert-file ${certificates.ca}`],
        `sentinel monitor mymaster 127.0.0.1 ${master.tlsPort} 1`,
      ];
      writeFileSync(file, lines.join('\n'));
      return [file, '--sentinel'];
    });
    const set = { scheme: 'rediss-sentinel', rest: '#mymaster' };
    const store = await open('localhost', tlsPort, { ca: certificates.ca }, set);
    await store.call('SET', 'by', 'sentinel');
    expect(await master.client.get('by')).toBe('sentinel');
    const fault = await faultOf(open('localhost', tlsPort, {}, set));
    expect(fault.message).toMatch(/^Sentinel at localhost:\d+ cannot be reached: .*signed by nobody/);
  });

  test('a port without TLS is told as that', async () => {
    const fault = await faultOf(open('localhost', redis.port, { ca: certificates.ca }));
    expect(fault.code).toBe('redis_unreachable');
    expect(fault.exit).toBe(5);
  });

  test('the program takes the files from its variables, and NODE_EXTRA_CA_CERTS as Node does', async () => {
    const url = `rediss://localhost:${redis.tlsPort}`;
    const ls = (env: Record<string, string>) => wssess(['ls'], { env: { WSSESS_REDIS_URL: url, ...env } });
    expect(await ls({ WSSESS_REDIS_CA: certificates.ca })).toMatchObject({ code: 0 });
    expect(await ls({ NODE_EXTRA_CA_CERTS: certificates.ca })).toMatchObject({ code: 0 });
    const untrusted = await ls({});
    expect([untrusted.code, untrusted.stdout]).toEqual([5, '']);
    expect(untrusted.stderr).toContain('signed by nobody whom this machine trusts');

    const junk = join(certificates.folder, 'junk');
    writeFileSync(junk, 'no certificate');
    for (const env of [
      { WSSESS_REDIS_CA: join(certificates.folder, 'none') },
      { WSSESS_REDIS_CA: junk },
      { WSSESS_REDIS_CERT: junk, WSSESS_REDIS_KEY: junk },
      { WSSESS_REDIS_CERT: certificates.ca },
      { WSSESS_REDIS_CA: certificates.ca, WSSESS_REDIS_URL: redis.url },
    ]) {
      const wrong = await ls(env);
      expect([wrong.code, wrong.stdout]).toEqual([2, '']);
      expect(wrong.stderr).toContain(Object.keys(env)[0]);
      expect(wrong.stderr.trim().split('\n').length).toBeLessThan(3);
    }
  });
});
