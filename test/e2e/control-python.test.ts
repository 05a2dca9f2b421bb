/** docs/control.md is a published interface: a client in another language, written from that page alone. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { writeByHand } from '../helpers/floor.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { refused } from '../helpers/refused.ts';
import { talk } from '../helpers/talk.ts';
import { within } from '../helpers/wait.ts';

const SCRIPT = join(import.meta.dirname, '../helpers/control.py');
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython && process.env.WSSESS_TEST_REQUIRE) throw new Error('python3 is not installed, and must be here');

describe.skipIf(!hasPython)('docs/control.md, by python3', () => {
  describeWithRedis('against a node', () => {
    let redis: TestRedis;
    let serve: Serve;

    beforeAll(async () => {
      redis = await startRedis();
      serve = await startServe(redis.url, ['--node', 'python-a']);
    });
    afterEach(() => dropClients());
    afterAll(async () => {
      serve?.process.kill('SIGCONT');
      await serve?.stop();
      await redis?.stop();
    });

    const ask = async (op: 'kick' | 'describe', session: string, timeout = 5000) => {
      const { hostname, port } = new URL(redis.url);
      const child = spawn('python3', [SCRIPT, hostname, port, 'ws', op, session, String(timeout)]);
      const said: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => said.push(text));
      await within(new Promise((resolve) => child.once('close', resolve)), 40_000, 'python3');
      return JSON.parse(said.join(''));
    };

    it('kick: the client has its ERROR and close 4001; again: nobody owns it', async () => {
      const client = await talk(serve.ws, 'cust01');
      expect(await ask('kick', client.session)).toEqual({
        outcome: 'answered',
        answer: { v: 1, results: [{ session_id: client.session, outcome: 'kicked' }] },
      });
      const error = await refused(client, /^from python$/, 4001, 'kicked');
      expect(error.header('action-id')).toMatch(/^python-[0-9a-f]{8}$/);
      expect(await ask('kick', client.session)).toEqual({ outcome: 'no_owner' });
    });

    it('describe: what only the node knows', async () => {
      const client = await talk(serve.ws, 'cust01');
      await client.sure('SUBSCRIBE', { id: 's', destination: '/topic/a' });
      const { answer } = await ask('describe', client.session);
      expect(answer.v).toBe(1);
      expect(Object.keys(answer.results[0]).sort()).toEqual(
        [
          'destinations',
          'idle_ms',
          'recv_cnt',
          'recv_oct',
          'send_cnt',
          'send_oct',
          'session_id',
          'subscriptions',
        ].sort(),
      );
      expect(answer.results[0]).toMatchObject({ session_id: client.session, destinations: ['/topic/a'] });
    });

    it('a foreign session: no_owner', async () => {
      await writeByHand(redis, 'foreign', 'kim');
      expect(await ask('kick', 'foreign')).toEqual({ outcome: 'no_owner' });
    });

    it('a node that is stopped: timeout, and the request is never acted on when it goes on', async () => {
      const client = await talk(serve.ws, 'cust01');
      serve.process.kill('SIGSTOP');
      try {
        expect(await ask('kick', client.session, 1000)).toEqual({ outcome: 'timeout' });
      } finally {
        serve.process.kill('SIGCONT');
      }
      await client.sure('SEND', { destination: '/topic/alive' });
      expect((await serve.rest('/api/session/user/cust01')).body.sessions).toEqual([client.session]);
    });
  });
});
