/** A Cluster: the master of the prefix's slot is found, followed when it changes, and a prefix without a tag refused. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import type { Script, Store } from '../../src/store/store.ts';
import { connect7, dropClients } from '../helpers/clients.ts';
import { faultOf } from '../helpers/floor.ts';
import { startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, freePort, startRedis } from '../helpers/redis.ts';
import { allow, PASSWORD } from '../helpers/redis-acl.ts';
import { startCluster, type TestCluster } from '../helpers/redis-cluster.ts';
import { until, within } from '../helpers/wait.ts';

const TIMEOUT = 1000;
const PATIENCE = 30_000;
const PREFIX = '{ws}';
const LUA = "return redis.call('INCR', KEYS[1])";

describeWithRedis('Cluster', () => {
  let cluster: TestCluster;
  const stores: Store[] = [];
  const open = async (url: string, { lasting = false, prefix = PREFIX } = {}): Promise<Store> => {
    const store = await connect({ url, source: 'WSSESS_REDIS_URL', prefix, timeout: TIMEOUT, lasting });
    stores.push(store);
    return store;
  };
  beforeAll(async () => {
    cluster = await startCluster({ replicas: 1 });
  }, 60_000);
  afterAll(() => cluster?.stop());
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });
  /** redis-cluster:// that names one node. */
  const only = (port: number) => `redis-cluster://127.0.0.1:${port}`;

  test('any node that is named leads to the master of the slot, a replica too', async () => {
    const owner = await cluster.owner();
    for (const { port } of cluster.group.members) {
      const store = await open(only(port));
      expect(await store.call('SET', '{ws}:from', port)).toBe('OK');
      expect(await owner.client.get('{ws}:from')).toBe(String(port));
      expect(
        await store.batch([
          ['INCR', '{ws}:n'],
          ['DEL', '{ws}:n'],
        ]),
      ).toEqual([1, 1]);
    }
  });

  test('a user who may not ask for the nodes gets along with those that are named', async () => {
    for (const { client } of cluster.group.members) await allow(client, 'node', PREFIX);
    const [first] = cluster.group.members;
    const store = await open(only(first!.port).replace('//', `//node:${PASSWORD}@`));
    expect(await store.call('SET', '{ws}:session:s1', 'kim')).toBe('OK');
    expect(await store.call('DEL', '{ws}:session:s1')).toBe(1);
    expect((await faultOf(store.call('SET', '{ws}x', 1))).code).toBe('redis_denied');
  });

  test('of the nodes that are named, those that are gone are passed over', async () => {
    const gone = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`);
    const store = await open(`redis-cluster://${gone},127.0.0.1:${cluster.group.members[0]!.port}`);
    expect(await store.call('PING')).toBe('PONG');
  });

  test('a prefix without a hash tag is refused, for every command in one line', async () => {
    for (const args of [['ls'], ['who', 'kim'], ['kick', 's1'], ['stats'], ['serve', '--port', '0']]) {
      const { code, stdout, stderr } = await wssess(args, { env: { WSSESS_REDIS_URL: cluster.url } });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain("--prefix '{ws}'");
      expect(stderr).toContain('hash tag');
    }
    const seen = await wssess(['ls'], { env: { WSSESS_REDIS_URL: cluster.url, WSSESS_PREFIX: PREFIX } });
    expect([seen.code, seen.stderr]).toEqual([0, 'no sessions\n']);
  });

  test('serve, ls and kick work on it, each by a node of its own', async () => {
    const [first, second, third] = cluster.group.members.map(({ port }) => only(port));
    const serve = await startServe(first!, ['--prefix', PREFIX]);
    try {
      const { session, closed } = await connect7(serve.ws, { userId: 'kim' });
      const run = (url: string, ...args: string[]) =>
        wssess(args, { env: { WSSESS_REDIS_URL: url, WSSESS_PREFIX: PREFIX } });
      expect((await run(second!, 'ls', '-o', 'name')).stdout).toBe(`${session}\n`);
      expect(await run(third!, 'kick', session, '--yes')).toMatchObject({ code: 0 });
      expect((await closed).code).toBe(4001);
    } finally {
      dropClients();
      await serve.stop();
    }
  });

  test('what is named as the wrong kind is told, with the right one', async () => {
    const alone = await startRedis();
    try {
      const fault = await faultOf(open(only(alone.port)));
      expect([fault.code, fault.advice]).toEqual(['redis_refused', 'It is no Cluster: name it as redis://host:port.']);
    } finally {
      await alone.stop();
    }
    const others = cluster.group.members.filter(({ port }) => port !== owner.port);
    const node = await open(`redis://127.0.0.1:${others[0]!.port}`);
    const moved = await faultOf(node.call('GET', '{ws}:x'));
    expect(moved.advice).toContain('redis-cluster://host:port');
    expect((await faultOf(node.batch([['MGET', 'a', 'b', 'c']]))).advice).toContain("--prefix '{ws}'");
  });
  let owner: Awaited<ReturnType<TestCluster['owner']>>;
  beforeAll(async () => {
    owner = await cluster.owner();
  });

  describe('another master', () => {
    test.each([
      ['by CLUSTER FAILOVER, while the old one goes on as its replica', 'failover'],
      ['because the old one died', 'death'],
    ])(
      '%s',
      async (_, how) => {
        // All but the first are learned: that one dies, too, if it is the owner.
        const store = await open(cluster.url, { lasting: true });
        let readied = 0;
        store.onReady(() => readied++);
        const heard: string[] = [];
        await store.subscribe(['{ws}:x:a'], (_channel, message) => heard.push(message));
        await store.pop('{ws}:none', 10);
        const [old, heir] = [await cluster.owner(), await cluster.heir()];
        const script: Script = {
          name: 'test',
          lua: LUA,
          sha: await store.call('SCRIPT', 'LOAD', LUA),
          readOnly: false,
        };
        if (how === 'failover') await heir.client.call('CLUSTER', 'FAILOVER');
        else old.process.kill('SIGKILL');
        const writes = () => store.run<number>(script, ['{ws}:n']).catch(() => 0);
        await until(async () => (await within(writes(), 10 * TIMEOUT)) > 0 && readied > 0, PATIENCE, 'a write');
        expect((await cluster.owner()).port).toBe(heir.port);
        expect(await heir.client.get('{ws}:n')).not.toBeNull();
        // At the new master, since the old one may leave the Cluster.
        const listening = async () =>
          ((await heir.client.call('PUBSUB', 'NUMSUB', '{ws}:x:a')) as [string, number])[1] === 1;
        await until(listening, PATIENCE, 'the subscription');
        await cluster.group.members
          .find(({ port }) => port !== old.port && port !== heir.port)!
          .client.publish('{ws}:x:a', how);
        await until(() => heard.includes(how), PATIENCE, 'the message');
        const waits = store.pop('{ws}:list', PATIENCE);
        await heir.client.rpush('{ws}:list', 'x');
        expect(await waits).toBe('x');
        await heir.client.del('{ws}:n');
        if (how === 'death') return;
        // The next one needs a replica.
        const isReplica = async () => (await old.client.info('replication')).includes('master_link_status:up');
        await until(isReplica, PATIENCE, 'the old one to be a replica');
      },
      120_000,
    );
  });
});
