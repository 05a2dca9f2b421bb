/** https://redis.io/docs/latest/commands/?group=server, as far as clients and people ask for it. */
import type { Engine } from '../engine.ts';
import { matches } from '../protocol/glob.ts';
import { OK, type Reply, Status } from '../protocol/reply.ts';
import { type Command, container, type Handler, lower, type Rows } from './command.ts';

/** INFO, by section. */
function facts(engine: Engine): Record<string, Record<string, string | number>> {
  const { db, clients, limits } = engine;
  const seconds = Math.floor((Date.now() - engine.facts.since) / 1000);
  return {
    Server: {
      redis_version: engine.facts.redisVersion,
      server_name: 'wssess-embedded',
      redis_mode: 'standalone',
      process_id: process.pid,
      tcp_port: engine.facts.port,
      uptime_in_seconds: seconds,
      uptime_in_days: Math.floor(seconds / 86_400),
    },
    Clients: {
      connected_clients: clients.size,
      maxclients: limits.clients,
      blocked_clients: [...clients].filter((client) => client.stopWaiting).length,
    },
    Memory: {
      used_memory: engine.used,
      used_memory_human: human(engine.used),
      mem_clients_normal: engine.held,
      maxmemory: limits.memory,
      maxmemory_human: human(limits.memory),
      maxmemory_policy: 'noeviction',
    },
    Persistence: { loading: 0, rdb_last_bgsave_status: 'ok', aof_enabled: 0 },
    Stats: {
      total_connections_received: engine.statistics.connections,
      total_commands_processed: engine.statistics.commands,
      expired_keys: db.expired,
      pubsub_channels: engine.pubsub.channels.size,
      pubsub_patterns: engine.pubsub.patterns.size,
    },
    Replication: { role: 'master', connected_slaves: 0 },
    Commandstats: engine.statistics.lines(),
    Cluster: { cluster_enabled: 0 },
    Keyspace: db.size > 0 ? { db0: `keys=${db.size},expires=${db.mortal},avg_ttl=${db.averageTtl()}` } : {},
  };
}

/** As Redis' bytesToHuman(). */
function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)}${'BKMG'[power]}`;
}

const info: Handler = (sections, { engine }) => {
  const wanted = new Set(sections.map(lower));
  const everything = wanted.has('all') || wanted.has('everything');
  const usual = wanted.size === 0 || wanted.has('default');
  return Object.entries(facts(engine))
    .filter(([name]) => everything || (usual && name !== 'Commandstats') || wanted.has(name.toLowerCase()))
    .map(([name, lines]) =>
      [`# ${name}`, ...Object.entries(lines).map(([key, value]) => `${key}:${value}`), ''].join('\r\n'),
    )
    .join('\r\n');
};

const configGet: Handler = (patterns, { engine }) => {
  const settings = {
    save: '',
    appendonly: 'no',
    databases: '1',
    timeout: '0',
    maxmemory: String(engine.limits.memory),
    'maxmemory-policy': 'noeviction',
    maxclients: String(engine.limits.clients),
  };
  return Object.entries(settings)
    .filter(([name]) => patterns.some((pattern) => matches(pattern.toLowerCase(), name)))
    .flat();
};

const resetStat: Handler = (_, { db, engine }) => {
  engine.statistics.reset();
  db.expired = 0;
  return OK;
};

const time: Handler = () => {
  const now = Date.now();
  return [String(Math.floor(now / 1000)), String((now % 1000) * 1000)];
};

/** COMMAND DOCS: names without prose, which is what redis-cli needs to start. */
const docs: Handler = (names, { engine }) => {
  const wanted = new Set(names.map(lower));
  return engine
    .commandNames()
    .filter((name) => names.length === 0 || wanted.has(name))
    .flatMap((name): Reply[] => [
      name,
      ['summary', `${name.toUpperCase()} as in Redis`, 'since', '1.0.0', 'group', 'generic'],
    ]);
};

export const server: Rows = {
  info: [-1, '', info],
  time: [1, '', time],
  config: container,
  'config|get': [-3, 'noscript admin', configGet],
  'config|resetstat': [2, 'noscript admin', resetStat],
  command: [-1, 'container', (_, { engine }) => infoOfCommands(engine.commandNames(), engine)],
  'command|count': [2, '', (_, { engine }) => engine.commandNames().length],
  'command|list': [2, '', (_, { engine }) => engine.commandNames()],
  'command|info': [
    -2,
    '',
    (names, { engine }) => infoOfCommands(names.length > 0 ? names : engine.commandNames(), engine),
  ],
  'command|docs': [-2, '', docs],
};

/** Name, arity and flags. Positions of keys are left at 0: only clients of a Cluster ask for them. */
function infoOfCommands(names: readonly string[], engine: Engine): Reply[] {
  const known = new Map<Command, Reply>(); // one row a command, however often it is named
  return names.map((name) => {
    const command = engine.commandNamed(name);
    if (!command) return null;
    const row = known.get(command) ?? rowOf(command);
    known.set(command, row);
    return row;
  });
}

function rowOf({ name, arity, flags }: Command): Reply {
  const shown = ['readonly', 'write', 'denyoom', 'noscript', 'admin'].filter((flag) => flags.has(flag));
  return [name, arity, shown.map((flag) => new Status(flag)), 0, 0, 0];
}
