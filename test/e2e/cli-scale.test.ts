/** 100,000 sessions: what walks them holds a page of them, what looks one up doesn't walk. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addManyForeign } from '../helpers/foreign.ts';
import { commandsOf } from '../helpers/monitor.ts';
import { wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';

const MANY = 100_000;
const MB = 1024; // in kB

/** Writes the largest size that the process ever had, in kB, as it ends. VmHWM begins with the process; maxRSS has its parent's. */
const PROBE = `import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  let peak = process.resourceUsage().maxRSS;
  try { peak = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]); } catch {}
  writeFileSync(process.env.PEAK_FILE, String(peak));
});`;

describeWithRedis('100,000 sessions', () => {
  let redis: TestRedis;
  const folder = mkdtempSync(join(tmpdir(), 'wssess-scale-'));

  beforeAll(async () => {
    redis = await startRedis();
    await addManyForeign(redis.client, MANY);
  });
  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true });
  });

  const cli = (...args: string[]) => wssess(args, { env: { WSSESS_REDIS_URL: redis.url } });

  test.each(['jsonl', 'name'])('ls -o %s gives each of them once, and never holds more than 150 MB', async (format) => {
    const peakFile = join(folder, format);
    const { code, stdout, stderr } = await wssess(['ls', '-o', format], {
      env: {
        WSSESS_REDIS_URL: redis.url,
        NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(PROBE).toString('base64')}`,
        PEAK_FILE: peakFile,
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').slice(0, -1);
    const ids = new Set(format === 'name' ? lines : lines.map((line) => JSON.parse(line).session_id));
    expect([lines.length, ids.size, ids.has('f0'), ids.has(`f${MANY - 1}`)]).toEqual([MANY, MANY, true, true]);
    const peak = Number(readFileSync(peakFile, 'utf8'));
    expect(peak).toBeGreaterThan(20 * MB);
    expect(peak).toBeLessThan(150 * MB);
  });

  test('ls -o json has all in total, whatever the limit', async () => {
    const all = JSON.parse((await cli('ls', '-o', 'json')).stdout);
    expect(all).toMatchObject({ complete: true, exact: true, total: MANY, skipped: 0 });
    expect(new Set(all.sessions.map((row: any) => row.session_id)).size).toBe(MANY);
    const few = JSON.parse((await cli('ls', '-o', 'json', '--limit', '3', '--sort', 'user', '--reverse')).stdout);
    expect(few).toMatchObject({ complete: false, total: MANY });
    expect(few.sessions.map((row: any) => row.user)).toEqual(['u9999', 'u9999', 'u9999']);
  }, 120_000);

  test('stats and ls --by user count them', async () => {
    expect(JSON.parse((await cli('stats', '-o', 'json')).stdout)).toMatchObject({
      exact: true,
      sessions: MANY,
      users: MANY / 10,
      by_node: {},
      by_role: { BOT: MANY / 4 },
    });
    const { users } = JSON.parse((await cli('ls', '--by', 'user', '-o', 'json')).stdout);
    expect([users.length, users[0].session_count]).toEqual([MANY / 10, 10]);
  });

  test('who, show, kick, refresh, and ls of ids or a user look up: nothing walks the set of all', async () => {
    const ran: (number | null)[] = [];
    const commands = await commandsOf(redis.url, async () => {
      for (const line of [
        'who u77',
        'show f777',
        'kick f778',
        'refresh f779',
        'ls f780 f781',
        'ls --user u78',
        'kick --user u79 --dry-run',
      ]) {
        ran.push((await cli(...line.split(' '))).code);
      }
    });
    expect(ran).toEqual([0, 0, 1, 0, 0, 0, 0]);
    expect(commands).toContainEqual(['SSCAN', 'ws:user:u77', '0', 'COUNT', '100']);
    expect(commands.filter(([name, key]) => /SCAN$/.test(name!) && key === 'ws:sessions:all')).toEqual([]);
    expect(commands.length).toBeLessThan(300);
  });
});
