/** A master, a replica and their Sentinels, of the test's own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plain, type TestRedis } from './redis.ts';
import { allow, PASSWORD } from './redis-acl.ts';
import { asTestRedis, Group, type Member } from './redis-group.ts';
import { until } from './wait.ts';

/** What the Sentinels call the master. */
const MASTER = 'mymaster';
/** Milliseconds without an answer after which a Sentinel takes the master for dead. */
const DOWN_AFTER = 500;
/** The same where no failover is wanted, however busy the machine is. */
const NEVER = 600_000;

export interface TestSentinel {
  group: Group;
  sentinels: Member[];
  /** redis-sentinel:// with all Sentinels. */
  url: string;
  /** Whom the first Sentinel names. */
  master(): Promise<Member>;
  /** The replica of this master. */
  heir(master: Member): Member;
  /** SENTINEL FAILOVER, once the Sentinels know a replica that can take over. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

/** @param sentinels as many agree on a failover by half */
export async function startSentinel({
  sentinels: count = 3,
  password = '',
  downAfter = DOWN_AFTER,
} = {}): Promise<TestSentinel> {
  const group = new Group();
  const sentinels: Member[] = [];
  try {
    const quick = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
    const master = await group.add((port) => [...plain(port, group.folder), ...quick]);
    const replica = await group.add((port) => [
      ...plain(port),
      ...quick,
      '--replicaof',
      '127.0.0.1',
      String(master.port),
    ]);
    await until(
      async () => (await replica.client.info('replication')).includes('master_link_status:up'),
      20_000,
      'the replica',
    );
    for (let i = 0; i < count; i++)
      sentinels.push(await addSentinel(group, master.port, Math.floor(count / 2) + 1, password, downAfter));
    const ready = async ({ client }: Member) => {
      const flat = (await client.call('SENTINEL', 'MASTER', MASTER)) as string[];
      const said = (name: string) => flat[flat.indexOf(name) + 1];
      return said('num-slaves') === '1' && said('num-other-sentinels') === String(count - 1);
    };
    // They look every 10 s for who replicates, unless told otherwise.
    for (const { client } of sentinels)
      await client.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', 200, 'PUBLISH-PERIOD', 200);
    await until(async () => (await Promise.all(sentinels.map(ready))).every(Boolean), 20_000, 'the Sentinels');
  } catch (error) {
    await group.stop();
    throw error;
  }
  const first = sentinels[0]!.client;
  const port = async () => Number(((await first.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as string[])[1]);
  return {
    group,
    sentinels,
    url: `redis-sentinel://${sentinels.map((one) => `127.0.0.1:${one.port}`).join(',')}#${MASTER}`,
    master: async () => group.at(await port()),
    heir: (master) => group.members.find((one) => one !== master && !sentinels.includes(one))!,
    async failover() {
      const old = await port();
      await until(
        async () => first.call('SENTINEL', 'FAILOVER', MASTER).catch(() => undefined),
        20_000,
        'the failover',
      );
      await until(async () => (await port()) !== old, 20_000, 'another master');
    },
    stop: () => group.stop(),
  };
}

async function addSentinel(
  group: Group,
  port: number,
  quorum: number,
  password: string,
  downAfter: number,
): Promise<Member> {
  return group.add((own) => {
    const file = join(group.folder, `${own}.conf`);
    writeFileSync(
      file,
      `port ${own}
bind 127.0.0.1
dir ${group.folder}
sentinel monitor ${MASTER} 127.0.0.1 ${port} ${quorum}
sentinel down-after-milliseconds ${MASTER} ${downAfter}
sentinel failover-timeout ${MASTER} 5000
${password && `requirepass ${password}`}
`,
    );
    return [file, '--sentinel'];
  }, password);
}

/** In the shape of one Redis, spoken to by a user with no more rights than docs/security.md gives a node. */
export async function startSentinelAsRedis(): Promise<TestRedis> {
  const set = await startSentinel({ sentinels: 1, downAfter: NEVER });
  for (const { client } of [...set.group.members].filter((one) => !set.sentinels.includes(one)))
    await allow(client, 'node', '{ws}');
  return asTestRedis(set.group, await set.master(), set.url.replace('//', `//node:${PASSWORD}@`));
}
