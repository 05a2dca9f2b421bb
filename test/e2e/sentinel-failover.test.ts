/** A failover under load: whoever is connected is registered at the new master, once, and nobody else is. */

import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectBare, dropClients, frame } from '../helpers/clients.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis } from '../helpers/redis.ts';
import { startSentinel, type TestSentinel } from '../helpers/redis-sentinel.ts';
import { sleep, until } from '../helpers/wait.ts';

const PATIENCE = 60_000;
/** Sessions before the failover; as many come while it runs. */
const SESSIONS = 200;
const USERS = 20;

describeWithRedis('A Sentinel failover', () => {
  let set: TestSentinel;
  let nodes: Serve[] = [];
  beforeAll(async () => {
    set = await startSentinel();
    const rest = ['--redis-timeout', '1s', '--heart-beat', '1s,1s'];
    // With a life of 8 s, sessions are renewed again and again while the masters change; with one of 24 h they are not,
    // and what is lost of them comes back only by being registered again.
    nodes = [await startServe(set.url, ['--ttl', '8s', ...rest]), await startServe(set.url, ['--ttl', '24h', ...rest])];
  }, 60_000);
  afterEach(dropClients);
  afterAll(async () => {
    for (const node of nodes) await node.stop('SIGKILL');
    await set?.stop();
  });

  /** Session id and user of those that were told CONNECTED and not closed since. */
  const live = new Map<string, string>();
  const come = async (i: number): Promise<void> => {
    const user = `u${i % USERS}`;
    const bare = await connectBare(nodes[i % 2]!.ws, ['v12.stomp']);
    const headers = { 'accept-version': '1.2', host: 'x', 'heart-beat': '500,0', userId: user };
    bare.send(frame('CONNECT', headers));
    const beats = setInterval(() => bare.send('\n'), 500);
    let id = '';
    const over = bare.closed.then(() => {
      clearInterval(beats);
      live.delete(id);
    });
    const answered = until(() => bare.received().includes('\0'), 20_000, 'an answer to CONNECT');
    await Promise.race([answered, over]);
    const session = /^CONNECTED\n(?:.*\n)*?session:(.*)\n/.exec(bare.received())?.[1];
    if (session === undefined) return;
    id = session;
    if (bare.socket.readyState === bare.socket.OPEN) live.set(id, user);
  };

  /** Makes a replica one that was behind when its master died: it never heard of these sessions. */
  const lag = async (replica: Redis, ids: string[]): Promise<void> => {
    await replica.config('SET', 'replica-read-only', 'no');
    for (const id of ids) {
      await replica.del(`ws:session:${id}`, `ws:x:details:${id}`);
      await replica.srem(`ws:user:${live.get(id)}`, id);
      await replica.srem('ws:sessions:all', id);
      for (const key of await replica.keys('ws:x:own:*')) await replica.zrem(key, id);
    }
    await replica.config('SET', 'replica-read-only', 'yes');
  };

  /** What Redis holds, sorted: `id user` by each of the keys that tell it. */
  const held = async (redis: Redis) => {
    const keys = (await redis.keys('ws:session:*')).filter((key) => !key.endsWith(':role'));
    const users = keys.length > 0 ? await redis.mget(keys) : [];
    const sets = await Promise.all(
      Array.from({ length: USERS }, async (_, i) => (await redis.smembers(`ws:user:u${i}`)).map((id) => `${id} u${i}`)),
    );
    const own = await Promise.all((await redis.keys('ws:x:own:*')).map((key) => redis.zrange(key, 0, -1)));
    return {
      sessions: keys.map((key, i) => `${key.slice('ws:session:'.length)} ${users[i]}`).sort(),
      members: sets.flat().sort(),
      all: (await redis.smembers('ws:sessions:all')).sort(),
      own: own.flat().sort(),
    };
  };
  const wanted = () => {
    const sessions = [...live].map(([id, user]) => `${id} ${user}`).sort();
    const ids = [...live.keys()].sort();
    return { sessions, members: sessions, all: ids, own: ids };
  };
  const agrees = async () => {
    const { client } = await set.master();
    let found: unknown;
    const same = async () => {
      found = await held(client).catch(() => undefined);
      return JSON.stringify(found) === JSON.stringify(wanted());
    };
    await until(same, PATIENCE, 'Redis to hold who is connected').catch(() => expect(found).toEqual(wanted()));
  };

  test.each([
    ['by SENTINEL FAILOVER', 'failover'],
    ['because the master was killed', 'killed'],
  ])(
    '%s',
    async (_, how) => {
      await Promise.all(Array.from({ length: SESSIONS }, (_, i) => come(i)));
      expect(live.size).toBe(SESSIONS);
      await agrees();
      const before = [...live.keys()];
      const old = await set.master();

      let over = false;
      const coming = (async () => {
        for (let i = 0; !over || i < SESSIONS; i++) {
          void come(i).catch(() => {});
          await sleep(i < SESSIONS ? 10 : 100);
        }
      })();
      const asked: { code: number | null; stdout: string; stderr: string }[] = [];
      const asking = (async () => {
        while (!over) asked.push(await wssess(['stats'], { env: { WSSESS_REDIS_URL: set.url } }));
      })();
      try {
        await sleep(300);
        if (how === 'failover') await set.failover();
        else {
          await lag(set.heir(old).client, before.slice(0, 50));
          old.process.kill('SIGKILL');
        }
        await until(async () => (await set.master()).port !== old.port, PATIENCE, 'another master');
        const ready = async () =>
          (await Promise.all(nodes.map((node) => node.rest('/readyz')))).every((one) => one.status === 200);
        await until(ready, PATIENCE, 'serve to be ready');
      } finally {
        over = true;
        await Promise.all([coming, asking]);
      }
      await agrees();
      // Nobody lost the connection over it.
      for (const id of before) expect(live.has(id)).toBe(true);
      expect(asked.length).toBeGreaterThan(1);
      for (const { code, stderr } of asked) {
        expect([0, 5]).toContain(code);
        if (code === 5) expect(stderr.trim().split('\n').length).toBeLessThan(3);
      }
      const listed = await wssess(['ls', '-o', 'json'], { env: { WSSESS_REDIS_URL: set.url } });
      const ids = (JSON.parse(listed.stdout) as { sessions: { session_id: string }[] }).sessions.map(
        (one) => one.session_id,
      );
      expect(ids.sort()).toEqual([...live.keys()].sort());
      dropClients();
      await until(() => live.size === 0, PATIENCE, 'all to be gone');
      await agrees();
    },
    180_000,
  );
});
