/** Connects a second from one address. */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConnectRate } from '../../src/server/connect-rate.ts';
import { everywhere, hasIpv6, outside } from '../helpers/outside.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { SECRET } from '../helpers/tokens.ts';
import { until, within } from '../helpers/wait.ts';

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

it('of IPv6 the first 64 bits count, however they are written', () => {
  for (const [one, other] of [
    ['2001:db8::1', '2001:db8:0:0:ffff::2'],
    ['2001:db8:0:1::', '2001:db8:0:1:a:b:c:d'],
    ['fe80::1%eth0', 'fe80::2%eth0'],
    ['::2', '::3'],
  ] as const) {
    const { allowed } = clocked(1);
    expect(allowed(one, 1)).toBe(1);
    expect(allowed(other, 1)).toBe(0);
    expect(allowed('2001:db8:0:2::1', 1)).toBe(1);
  }
});

/** One WebSocket handshake. @returns the status, and what was answered unless it was 101 */
function handshake(host: string, port: number): Promise<{ status: number; text: string; headers: object }> {
  const answered = new Promise<{ status: number; text: string; headers: object }>((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    };
    const sent = request({ host, port, path: '/ws', headers, agent: false });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode!, text: '', headers: response.headers });
    });
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
    });
    sent.on('error', reject).end();
  });
  return within(answered, 30_000, 'the handshake');
}

describeWithRedis('--connect-rate over a socket', () => {
  const RATE = 2;
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    const tokens = { WSSESS_JWT_SECRET: SECRET, WSSESS_API_TOKEN: 'token-of-the-test' };
    serve = await startServe(
      redis.url,
      ['--host', everywhere(), '--connect-rate', String(RATE), '--node', 'rate'],
      tokens,
    );
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const addresses = outside();

  it.skipIf(addresses.length === 0).each(addresses.length ? addresses : ['none'])(
    'from %s as many as the rate and no more, then again; its REST goes on',
    async (host) => {
      const begun = performance.now();
      const all = await Promise.all(Array.from({ length: 40 }, () => handshake(host, serve.port)));
      const seconds = (performance.now() - begun) / 1000;
      const refused = all.filter(({ status }) => status === 429);
      const passed = all.filter(({ status }) => status === 101).length;
      expect(passed + refused.length).toBe(40);
      expect(passed).toBeGreaterThanOrEqual(RATE);
      expect(passed).toBeLessThanOrEqual(Math.ceil(RATE + RATE * seconds));
      expect(JSON.parse(refused[0]!.text).error).toMatchObject({
        code: 'too_many_connects',
        advice: expect.stringContaining('delay'),
      });
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${serve.port}`;
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      await until(async () => (await handshake(host, serve.port)).status === 101);
    },
  );

  it.each(hasIpv6() ? ['127.0.0.1', '::1'] : ['127.0.0.1'])('%s is exempt', async (host) => {
    const all = await Promise.all(Array.from({ length: 40 }, () => handshake(host, serve.port)));
    expect(all.filter(({ status }) => status === 101)).toHaveLength(40);
  });
});
