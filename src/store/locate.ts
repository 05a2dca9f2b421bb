/**
 * Where the master is, at the moment: what Sentinels or the nodes of a Cluster say. All keys of wssess are in one slot
 * of a Cluster, so that one of its masters is all that is needed of it.
 */

import { connect as connectTcp, isIP, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { WssessError } from '../common/errors.ts';
import type { Address, HostPort } from './address.ts';
import { translate } from './faults.ts';
import { Link } from './link.ts';

/** Milliseconds that one may take before the next is asked too. */
const PACE = 250;
/** Where it is not Redis that refuses, but who knows where it is. */
const DENIED =
  'The Sentinels have a user or password of their own: …?sentinel_username=USER&sentinel_password=PASSWORD#MASTER.';
/** Nodes of a Cluster that may name one another before one of them is believed. */
const MOST_HOPS = 3;
/** Nodes of a Cluster that are remembered beside those that were named. */
const MOST_LEARNED = 20;

export class Locator {
  readonly #address: Address;
  readonly #options: RedisOptions;
  /** A key of the slot in question. */
  readonly #probe: string;
  readonly #timeout: number;
  #learned: HostPort[] = [];
  #attempts = 0;
  /** What it last found. */
  last: HostPort | undefined;

  /**
   * @param options of the connections that ask
   * @param probe a key below the prefix, which need not be there
   * @param timeout milliseconds that finding may take
   */
  constructor(address: Address, options: RedisOptions, probe: string, timeout: number) {
    this.#address = address;
    this.#options = options;
    this.#probe = probe;
    this.#timeout = timeout;
  }

  /** @throws WssessError */
  async locate(signal: AbortSignal): Promise<HostPort> {
    const { hosts, kind } = this.#address;
    const all = unique([...hosts, ...this.#learned]);
    // Another one first each time: what the last one said was of no use, or is old.
    const first = this.#attempts++ % all.length;
    const next = [...all.slice(first), ...all.slice(0, first)];
    // Of a Cluster, the master itself tells best whether it still is.
    const order = kind === 'cluster' && this.last ? unique([this.last, ...next]) : next;
    this.last = await firstAnswer(order, (host, done) => this.#ask(host, done, MOST_HOPS), this.#timeout, signal);
    return this.last;
  }

  async #ask({ host, port }: HostPort, signal: AbortSignal, hops: number): Promise<HostPort> {
    const { kind, tls, entry, sentinel } = this.#address;
    const options = { ...this.#options, host, port, ...(tls && { tls: tlsOf(host, this.#options.tls) }) };
    const link = new Link(new Redis(options), kind === 'sentinel' ? sentinel : entry, { lasting: false });
    const close = () => link.close();
    signal.addEventListener('abort', close);
    const name = `${kind === 'sentinel' ? 'Sentinel' : 'Redis'} at ${textOf({ host, port })}`;
    try {
      await link.open();
      if (kind === 'sentinel') return await this.#askSentinel(link.entered, name);
      const found = await this.#askNode(link.entered, { host, port });
      // While masters change, not all nodes know it yet: who is named is asked, too.
      const isSame = textOf(found) === textOf({ host, port });
      return isSame || hops === 0 ? found : await this.#ask(found, signal, hops - 1);
    } catch (error) {
      const fault = translate(error as Error, link.fault, { kind, name });
      if (kind !== 'sentinel' || fault.code !== 'redis_denied') throw fault;
      throw new WssessError('redis_denied', fault.message, { advice: DENIED, cause: fault.cause });
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** https://redis.io/docs/latest/develop/reference/sentinel-clients/ */
  async #askSentinel(redis: Redis, name: string): Promise<HostPort> {
    const { master } = this.#address;
    const answer = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)) as [string, string] | null;
    if (answer) return { host: answer[0], port: Number(answer[1]) };
    throw new WssessError('redis_refused', `${name} knows no master ${master}`, {
      advice: 'Name the master behind # as the Sentinels do: SENTINEL MASTERS tells.',
    });
  }

  /** A node that hasn't the slot names the one that has: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#moved-redirection */
  async #askNode(redis: Redis, asked: HostPort): Promise<HostPort> {
    const slots = redis.call('CLUSTER', 'SLOTS');
    const probed = redis.call('EXISTS', this.#probe);
    probed.catch(() => {}); // awaited below
    try {
      this.#learned = nodesOf(await slots, asked.host);
    } catch (error) {
      // A user may be without the right to ask: then those that were named must do.
      if (!(error as Error).message.startsWith('NOPERM')) throw error;
    }
    try {
      await probed;
      return asked;
    } catch (error) {
      const [, to, port] = /^MOVED \d+ (.*):(\d+)$/.exec((error as Error).message) ?? [];
      if (port === undefined) throw error;
      return { host: to || asked.host, port: Number(port) };
    }
  }
}

/** Nodes that CLUSTER SLOTS names; one without an address is at the address that was asked. */
function nodesOf(slots: unknown, asked: string): HostPort[] {
  const nodes = (slots as [number, number, ...[string | null, number][]][]).flatMap(([, , ...some]) => some);
  return unique(nodes.map(([host, port]) => ({ host: host && host !== '?' ? host : asked, port }))).slice(
    0,
    MOST_LEARNED,
  );
}

function unique(hosts: readonly HostPort[]): HostPort[] {
  return [...new Map(hosts.map((one) => [textOf(one), one])).values()];
}

/**
 * Asks one after the other, the next when one fails or is slow. The first answer counts, the rest is given up.
 * @throws WssessError of those that failed, in one
 */
async function firstAnswer(
  hosts: readonly HostPort[],
  ask: (host: HostPort, signal: AbortSignal) => Promise<HostPort>,
  timeout: number,
  signal: AbortSignal,
): Promise<HostPort> {
  const rest = new AbortController();
  const giveUp = AbortSignal.any([signal, rest.signal]);
  const faults: WssessError[] = [];
  let [pace, end]: (NodeJS.Timeout | undefined)[] = [];
  try {
    return await new Promise<HostPort>((resolve, reject) => {
      const fail = () => reject(inOne(faults, hosts));
      let begun = 0;
      const next = () => {
        clearTimeout(pace);
        const host = hosts[begun];
        if (giveUp.aborted || host === undefined) return;
        begun++;
        pace = setTimeout(next, PACE);
        ask(host, giveUp).then(resolve, (error: WssessError) => {
          faults.push(error);
          if (faults.length === hosts.length) fail();
          else next();
        });
      };
      end = setTimeout(fail, timeout);
      giveUp.addEventListener('abort', fail);
      next();
    });
  } finally {
    clearTimeout(pace);
    clearTimeout(end);
    rest.abort();
  }
}

/** One fault of several: the one that more than the network has part in, else all that they say. */
function inOne(faults: readonly WssessError[], hosts: readonly HostPort[]): WssessError {
  const telling = faults.find(({ code }) => code !== 'redis_unreachable') ?? (hosts.length === 1 && faults[0]);
  if (telling) return telling;
  const said = [...new Set(faults.map(({ message }) => message))].join('; ') || 'no answer in time';
  return new WssessError('redis_unreachable', `no master is found by way of ${hosts.map(textOf).join(', ')}: ${said}`);
}

export function textOf({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What TLS needs to know of a host: its name is in the certificate, and asked for where several are served. */
export function tlsOf(host: string, options: ConnectionOptions | undefined): ConnectionOptions {
  return { ...options, ...(!isIP(host) && { servername: host }) };
}

/**
 * How ioredis connects: to where the master is by then. ioredis's own connector for Sentinels would do as much for
 * them; but when none answers it gives up, or waits without an end.
 */
export function connectorOf(locator: Pick<Locator, 'locate'>, tls: boolean): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    #abort = new AbortController();
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout!);
      this.#options = options as RedisOptions;
    }

    async connect() {
      this.connecting = true;
      delete this.firstError;
      this.#abort = new AbortController();
      try {
        const { host, port } = await locator.locate(this.#abort.signal);
        if (!this.connecting) throw new Error('Connection is closed.');
        this.stream = tls ? connectTls({ host, port, ...tlsOf(host, this.#options.tls) }) : connectTcp({ host, port });
        this.stream.once('error', (error) => {
          this.firstError = error;
        });
      } catch (error) {
        // Were this rejected, ioredis would never try again: it is told by a connection that has ended.
        if (!this.connecting) throw error;
        this.firstError = error as Error;
        this.stream = new Socket().destroy();
      }
      return this.stream;
    }

    override disconnect(): void {
      this.#abort.abort();
      super.disconnect();
    }
  };
}
