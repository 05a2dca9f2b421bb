/**
 * Nodes and their leases. A lease is a key that ends by itself 8 s after its node last renewed it; its value begins
 * with the incarnation, so that a process can only renew its own.
 */
import { WssessError, wrongType } from '../common/errors.ts';
import type { Store } from '../store/store.ts';
import { type Keys, SCHEMA } from './keys.ts';
import { checkSchema } from './schema.ts';
import { lease as leaseScript, probe, release as releaseScript, retire as retireScript } from './scripts.gen.ts';

/** Milliseconds. */
export const LEASE = 8000;
export const RENEW_EVERY = 2000;
/** A node that wasn't seen for a day is no longer named. */
const REMEMBERED = 24 * 3_600_000;
/** Names that one command takes; more than this many nodes are beyond one Redis. */
const MOST_NODES = 10_000;

/** What a node says of itself with each renewal. */
export interface NodeInfo {
  name: string;
  /** Drawn anew at each start of the process: 16 characters. */
  incarnation: string;
  /** Where it listens, as http:// URL. */
  url: string;
  host: string;
  pid: number;
  version: string;
  /** RFC 3339. */
  started_at: string;
  sessions: number;
  /** True while it takes no connections, and closes those that it has. */
  draining?: boolean | undefined;
  // What follows is null of a version that didn't say it.
  /** Since the start of the process, as the next four: sessions that were registered. */
  connects: number | null;
  /** Sessions that ended. */
  disconnects: number | null;
  /** Sessions that ended by a kick. */
  kicks: number | null;
  /** SEND frames that were accepted. */
  messages_in: number | null;
  /** MESSAGE frames that were delivered. */
  messages_out: number | null;
  /** Milliseconds that the event loop was late by, p99 since the last renewal. */
  loop_delay_ms: number | null;
  /** Share of one core, since the last renewal. */
  cpu: number | null;
  /** Bytes of memory. */
  rss: number | null;
}

/** One process of a node: a node that is started again is another. */
export type Process = Pick<NodeInfo, 'name' | 'incarnation'>;

/** How the set of processes names it. */
const processName = ({ name, incarnation }: Process): string => `${incarnation} ${name}`;

/** Of a node that says nothing of its load. */
export const NO_LOAD = {
  connects: null,
  disconnects: null,
  kicks: null,
  messages_in: null,
  messages_out: null,
  loop_delay_ms: null,
  cpu: null,
  rss: null,
} as const satisfies Partial<NodeInfo>;
type Load = Pick<NodeInfo, keyof typeof NO_LOAD>;

/** A node as `wssess nodes` shows it; info is null when its lease is gone. */
export interface NodeState {
  name: string;
  alive: boolean;
  /** Milliseconds since 1970: when it last renewed. */
  seenAt: number;
  info: NodeInfo | null;
}

export class Nodes {
  readonly #store: Store;
  readonly #keys: Keys;

  constructor(store: Store, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
  }

  /**
   * Takes or renews a lease.
   * @returns `new` when there was none, `renewed`, or the milliseconds that the lease of another process has left
   * @throws WssessError `schema_newer`: a lease that was held is given back, `key_type`
   */
  async hold(info: NodeInfo): Promise<'new' | 'renewed' | number> {
    const now = Date.now();
    const { incarnation, ...rest } = info;
    const [result, left] = await this.#store.run<[string, (number | string)?]>(
      leaseScript,
      [this.#keys.lease(info.name), this.#keys.nodes, this.#keys.schema, this.#keys.processes],
      [
        incarnation,
        incarnation + JSON.stringify(rest),
        LEASE,
        info.name,
        now,
        now - REMEMBERED,
        SCHEMA,
        processName(info),
      ],
    );
    if (result === 'NEWER') checkSchema(String(left));
    if (result === 'TYPE') throw wrongType(String(left));
    if (result === 'OK') return left === 'new' ? 'new' : 'renewed';
    return Math.max(1, Number(left));
  }

  /** Rejects as a register would, where Redis takes no new session: it is full, or a replica. @throws WssessError */
  async checkRegister({ name }: Pick<NodeInfo, 'name'>): Promise<void> {
    await this.#store.run(probe, [this.#keys.lease(name)]);
  }

  /** Gives the lease back, and forgets the node. */
  async release(info: Process): Promise<void> {
    const { lease, nodes, processes, own } = this.#keys;
    await this.#store.run(
      releaseScript,
      [lease(info.name), nodes, processes, own(info.incarnation)],
      [info.incarnation, info.name, processName(info)],
    );
  }

  /** The nodes seen in the last day, by name. */
  async list(): Promise<NodeState[]> {
    const flat = await this.#store.call<string[]>('ZRANGE', this.#keys.nodes, 0, MOST_NODES - 1, 'WITHSCORES');
    const seen = new Map<string, number>();
    for (let i = 0; i < flat.length; i += 2) {
      const at = Number(flat[i + 1]);
      if (isNodeName(flat[i]!) && Number.isSafeInteger(at)) seen.set(flat[i]!, at);
    }
    const names = [...seen.keys()];
    const leases = await this.#leases(names);
    return names
      .map((name) => {
        const info = leases.get(name) ?? null;
        return { name, alive: info !== null, seenAt: seen.get(name) ?? 0, info };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The processes that held a lease in the last day and are not known to have left nothing behind. */
  async processes(): Promise<(Process & { alive: boolean })[]> {
    const names = await this.#store.call<string[]>('ZRANGE', this.#keys.processes, 0, MOST_NODES - 1);
    const found = names.flatMap((text): Process[] => {
      const [incarnation, name] = [text.slice(0, 16), text.slice(17)];
      return text[16] === ' ' && isNodeName(name) ? [{ incarnation, name }] : [];
    });
    const living = await this.living(found.map(({ name }) => name));
    return found.map((one) => ({ ...one, alive: living.get(one.name) === one.incarnation }));
  }

  /** Forgets a process that died, unless it left sessions behind. @returns whether it is forgotten */
  async retire(process: Process): Promise<boolean> {
    const { lease, processes, own } = this.#keys;
    const [result] = await this.#store.run<[string]>(
      retireScript,
      [processes, lease(process.name), own(process.incarnation)],
      [process.incarnation, processName(process)],
    );
    return result === 'OK';
  }

  /** What the process says of itself; undefined when it holds no lease. */
  async info({ name, incarnation }: Process): Promise<NodeInfo | undefined> {
    const info = (await this.#leases([name])).get(name);
    return info?.incarnation === incarnation ? info : undefined;
  }

  /** Of these nodes, name and incarnation of those whose lease lives. */
  async living(names: readonly string[]): Promise<Map<string, string>> {
    const leases = await this.#leases([...new Set(names)]);
    return new Map([...leases].map(([name, { incarnation }]) => [name, incarnation]));
  }

  async #leases(names: readonly string[]): Promise<Map<string, NodeInfo>> {
    if (names.length === 0) return new Map();
    const values = await this.#store.call<(string | null)[]>('MGET', ...names.map(this.#keys.lease));
    return new Map(names.flatMap((name, i) => (values[i] ? [[name, parseLease(name, values[i])]] : [])));
  }
}

/** Waits are the caller's: another living process holds this name. */
export function nameTaken(name: string): WssessError {
  return new WssessError('node_name_taken', `node ${name} is another process, which is alive`);
}

/** The name of this process is another's by now. */
export function nameLost(name: string): WssessError {
  const how = 'which took the name while this one was stopped or cut off';
  return new WssessError('node_name_taken', `node ${name} is another process by now, ${how}`, {
    advice: 'If both are to run, give each a name of its own with --node.',
  });
}

/** Others may have written into the set of nodes what is none. */
export const isNodeName = (name: string): boolean => /^[A-Za-z0-9_.-]{1,64}$/.test(name);

/** Reads a lease, whatever version wrote it, or whoever else: of what it says, what is of its type. */
export function parseLease(name: string, value: string): NodeInfo {
  let said: Partial<NodeInfo> = {};
  try {
    said = (JSON.parse(value.slice(16)) ?? {}) as Partial<NodeInfo>;
  } catch {
    // A lease that another version wrote is still a lease.
  }
  const text = (one: unknown): string => (typeof one === 'string' ? one : '');
  const count = (one: unknown): number => (Number.isFinite(one) ? Number(one) : 0);
  return {
    url: text(said.url),
    host: text(said.host),
    pid: count(said.pid),
    version: text(said.version),
    started_at: text(said.started_at),
    sessions: count(said.sessions),
    ...loadOf(said),
    draining: said.draining === true || undefined,
    name,
    incarnation: value.slice(0, 16),
  };
}

/** The counters and measures, those that are numbers. */
function loadOf(said: Partial<NodeInfo>): Load {
  const names = Object.keys(NO_LOAD) as (keyof Load)[];
  return Object.fromEntries(names.map((name) => [name, Number.isFinite(said[name]) ? said[name] : null])) as Load;
}
