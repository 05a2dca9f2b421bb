/**
 * How long a start of the CLI takes, beside `node -e 0`: npm run bench:start [-- --runs 30]. The runs of all cases are
 * interleaved, so that a busy moment of the machine falls on each of them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ownRedis } from '../scripts/own-redis.mjs';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'bin/wssess.js');
const { values } = parseArgs({ options: { runs: { type: 'string', default: '30' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) {
  console.error('error: --runs is a whole number above 0.');
  process.exit(2);
}

if (!existsSync(join(root, 'dist/cli.cjs'))) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
const redis = await ownRedis();
for (const [id, user] of [
  ['bench-1', 'cust01'],
  ['bench-2', 'cust01'],
  ['bench-3', 'cust02'],
]) {
  redis.cli('SET', `ws:session:${id}`, user, 'EX', '86400');
  redis.cli('SADD', `ws:user:${user}`, id);
  redis.cli('SADD', 'ws:sessions:all', id);
}

const base = { what: 'node -e 0', args: ['-e', '0'], exit: 0, times: [] };
const version = { what: 'wssess --version', args: [bin, '--version'], exit: 0, times: [] };
const help = { what: 'wssess who --help', args: [bin, 'who', '--help'], exit: 0, times: [] };
// The URL is looked at by the module that loads ioredis, before it connects.
const loaded = { what: 'wssess who cust01, bad URL', args: [bin, 'who', 'cust01'], url: 'redis:', exit: 2, times: [] };
const who = { what: 'wssess who cust01', args: [bin, 'who', 'cust01'], exit: 0, times: [] };
const cases = [base, version, help, loaded, who];

for (let run = -1; run < runs; run++) {
  for (const one of cases) {
    const env = { ...process.env, WSSESS_REDIS_URL: one.url ?? redis.url };
    const begin = performance.now();
    const { status, stderr } = spawnSync(process.execPath, one.args, { env, encoding: 'utf8' });
    const took = performance.now() - begin;
    if (status !== one.exit) {
      console.error(`error: ${one.what} ended with ${status}: ${stderr.trim()}`);
      process.exit(1);
    }
    if (run >= 0) one.times.push(took); // the first round warms the disk's cache
  }
}

const median = ({ times }) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
const ms = (value) => value.toFixed(1).padStart(7);

console.log(`Node ${process.version}, ${process.platform} ${process.arch}, medians of ${runs} interleaved runs\n`);
console.log(`${'command'.padEnd(28)}     ms   x node`);
for (const one of cases) {
  console.log(`${one.what.padEnd(28)}${ms(median(one))}  ${(median(one) / median(base)).toFixed(2).padStart(6)}`);
}

console.log('\nWhere the time of `wssess who cust01` goes: what each step adds to the one before it');
for (const [what, more, less] of [
  ['Node itself', base, undefined],
  ['the entry and commander', version, base],
  ['the code of the command', help, version],
  ['ioredis', loaded, help],
  ['connecting and asking Redis', who, loaded],
]) {
  console.log(`${what.padEnd(36)}${ms(median(more) - (less ? median(less) : 0))}`);
}
process.exit(0);
