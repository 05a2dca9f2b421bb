/** MONITOR beside a real Redis: the same lines in the same order, but for times and addresses. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Embedded } from '../../../src/store/embedded/server.ts';
import { PASSWORD, startStore } from '../../helpers/embedded.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { RawClient } from '../../helpers/resp.ts';
import { until } from '../../helpers/wait.ts';

const LUA =
  "redis.call('SeT', KEYS[1], ARGV[1]) redis.pcall('get') redis.pcall('nope') redis.pcall('client', 'id') " +
  "return redis.call('incrby', 'n', 3)";
const SHA = createHash('sha1').update(LUA).digest('hex');

const COMMANDS = [
  ['set', 'a', 'b'],
  ['GeT', 'a \x00\x01\n\r\t\x07\b\f\v\\"\'\x7f\xff'],
  ['multi'],
  ['set', 'q', '1'],
  ['get', 'q'],
  ['exec'],
  ['multi'],
  ['set', 'q', '2'],
  ['discard'],
  ['watch', 'a'],
  ['unwatch'],
  ['script', 'exists', SHA],
  ['evalsha', SHA, '1', 'k', 'v\xff'],
  ['multi'],
  ['EVALSHA', SHA, '1', 'k', 'w'],
  ['sadd', 's', 'x'],
  ['exec'],
  ['get'],
  ['nope', 'x'],
  ['config', 'get', 'save'],
  ['client', 'list'],
  ['client', 'id'],
  ['publish', 'c', 'm'],
  ['get', 's'],
  ['echo', 'the end'],
];

describeWithRedis('MONITOR beside Redis', () => {
  let redis: TestRedis;
  let store: Embedded;
  beforeAll(async () => {
    redis = await startRedis();
    store = await startStore({ scripts: [{ sha: SHA, lua: LUA }] });
  });
  afterAll(async () => {
    await redis.stop();
    await store.close();
  });

  async function shown(port: number, password?: string): Promise<string[]> {
    const [watcher, client] = [await RawClient.open(port, password), await RawClient.open(port, password)];
    await client.call('SCRIPT', 'LOAD', LUA);
    expect(await watcher.call('MONITOR')).toBe('+OK');
    await client.all(COMMANDS);
    await until(() => String(watcher.pushed.at(-1)).endsWith('"the end"'));
    watcher.close();
    client.close();
    return watcher.pushed.map((line) =>
      String(line)
        .replace(/^\+\d+\.\d{6} /, '')
        .replace(/127\.0\.0\.1:\d+/, 'client'),
    );
  }

  it('shows what a script and a transaction run', async () => {
    const expected = await shown(redis.port);
    expect(expected).toContain('[0 lua] "SeT" "k" "v\\xff"');
    expect(await shown(store.port, PASSWORD)).toEqual(expected);
  });
});

it('MONITOR shows the beginning of what is long', async () => {
  const store = await startStore();
  const [watcher, client] = [await RawClient.open(store.port, PASSWORD), await RawClient.open(store.port, PASSWORD)];
  await watcher.call('MONITOR');
  for (const words of [['SET', 'a', '\x00'.repeat(60 * 1024 * 1024)], ['PING']]) await client.call(...words);
  await until(() => watcher.pushed.length === 2);
  expect(String(watcher.pushed[0]).length).toBeLessThan(300_000);
  expect(watcher.pushed[0]).toMatch(/^\+[\d.]+ \[0 [\d.:]+\] "SET" "a" "(\\x00)+"\.\.\.$/);
  watcher.close();
  client.close();
  await store.close();
});
