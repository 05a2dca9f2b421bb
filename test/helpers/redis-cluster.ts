/** A Redis Cluster of the test's own: three masters, and replicas where they are asked for. */
import { join } from 'node:path';
import { freePort, plain, type TestRedis } from './redis.ts';
import { allow, PASSWORD } from './redis-acl.ts';
import { asTestRedis, Group, type Member } from './redis-group.ts';
import { until } from './wait.ts';

/** Of the keys. Its slot lies with that of `{ws}` on one master. */
const TAGGED = '{test}';
const SLOTS = 16_384;

export interface TestCluster {
  group: Group;
  /** redis-cluster:// with all its nodes, as the default user. */
  url: string;
  /** The master that has the slot of `{ws}`. */
  owner(): Promise<Member>;
  /** A replica of that master. */
  heir(): Promise<Member>;
  stop(): Promise<void>;
}

/**
 * @param replicas of the master of `{ws}`
 * @param nodeTimeout milliseconds without an answer after which a node is taken for dead
 */
export async function startCluster({ replicas = 0, nodeTimeout = 1000 } = {}): Promise<TestCluster> {
  const group = new Group();
  const buses = new Map<number, number>();
  const node = () =>
    group.add(async (port) => {
      const bus = await freePort();
      buses.set(port, bus);
      const file = join(group.folder, `${port}.conf`);
      const own = ['--cluster-enabled', 'yes', '--cluster-config-file', file, '--cluster-port', String(bus)];
      return [
        ...plain(port, group.folder),
        ...own,
        '--cluster-node-timeout',
        String(nodeTimeout),
        '--repl-diskless-sync-delay',
        '0',
      ];
    });
  try {
    const masters = [await node(), await node(), await node()];
    const heirs = await Promise.all(Array.from({ length: replicas }, node));
    for (const [i, { client }] of masters.entries()) {
      const [from, to] = [i, i + 1].map((n) => Math.floor((n * SLOTS) / masters.length));
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from!, to! - 1);
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    }
    const [first, ...others] = group.members;
    for (const { client } of others)
      await client.call('CLUSTER', 'MEET', '127.0.0.1', first!.port, buses.get(first!.port)!);
    const info = (client: Member['client']) => client.call('CLUSTER', 'INFO').then(String);
    const told = async (text: string) =>
      (await Promise.all(group.members.map((one) => info(one.client)))).every((said) => said.includes(text));
    await until(() => told(`cluster_known_nodes:${group.members.length}`), 20_000, 'the nodes to know each other');
    await until(() => told('cluster_state:ok'), 20_000, 'the cluster to be whole');
    const middle = masters[1]!;
    for (const { client } of heirs) {
      await client.call('CLUSTER', 'REPLICATE', (await middle.client.call('CLUSTER', 'MYID')) as string);
      await until(
        async () => (await client.info('replication')).includes('master_link_status:up'),
        20_000,
        'the replica',
      );
    }
  } catch (error) {
    await group.stop();
    throw error;
  }
  const having = (role: 'master' | 'slave') => async () => {
    const found = await Promise.all(
      group.members.map(async (one) => {
        // Of the three masters, the one that takes the slot's keys; a replica of it names it.
        const said = await one.client.exists('{ws}').catch((error: Error) => error.message);
        const [mine] = (await one.client.call('ROLE').catch(() => [])) as string[];
        return mine === role && (role === 'slave' || said === 0 || said === 1);
      }),
    );
    return group.members[found.indexOf(true)]!;
  };
  return {
    group,
    url: `redis-cluster://${group.members.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    owner: having('master'),
    heir: having('slave'),
    stop: () => group.stop(),
  };
}

/** In the shape of one Redis, spoken to by a user with no more rights than docs/security.md gives a node. */
export async function startClusterAsRedis(): Promise<TestRedis> {
  // None is, however busy the machine is.
  const cluster = await startCluster({ nodeTimeout: 600_000 });
  for (const { client } of cluster.group.members) {
    await allow(client, 'node', TAGGED, '{ws}');
    await client.call('ACL', 'SETUSER', 'node', '+cluster|slots');
  }
  const url = cluster.url.replace('//', `//node:${PASSWORD}@`);
  return asTestRedis(cluster.group, await cluster.owner(), url, TAGGED);
}
