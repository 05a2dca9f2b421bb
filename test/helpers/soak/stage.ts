/** Where a soak plays: nodes, each with a bad network between it and Redis, and what goes wrong with them. */
import type { Sessions } from '../../../src/sessions/sessions.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { type Serve, startServe } from '../program.ts';
import type { TestRedis } from '../redis.ts';
import { sleep, until } from '../wait.ts';
import { connectGuest, type Guest } from './guest.ts';

const NODES = ['soak-a', 'soak-b', 'soak-c'];
const USERS = 12;

interface Place {
  name: string;
  network: FaultProxy;
  serve: Serve;
}

export class Stage {
  readonly redis: TestRedis;
  /** All that ever came, and may still be there. */
  guests: Guest[] = [];
  readonly #random: () => number;
  readonly #places: Place[] = [];
  readonly #told: (what: string) => void;

  /** @param random 0 to 1, from a seed @param told is called with each act */
  constructor(redis: TestRedis, random: () => number, told: (what: string) => void) {
    this.redis = redis;
    this.#random = random;
    this.#told = told;
  }

  async open(): Promise<void> {
    for (const name of NODES) {
      const network = await startFaultProxy(this.redis.port);
      this.#places.push({ name, network, serve: await startServe(network.url, ['--node', name]) });
    }
  }

  /** The REST door of a node. */
  get rest(): Serve['rest'] {
    return this.#places[0]!.serve.rest;
  }

  get nodes(): readonly Serve[] {
    return this.#places.map(({ serve }) => serve);
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  upTo(ms: number): number {
    return this.#random() * ms;
  }

  async come(count: number): Promise<void> {
    this.#told(`${count} come`);
    await Promise.all(
      Array.from({ length: count }, async () => {
        const { name, serve } = this.pick(this.#places);
        const guest = await connectGuest(serve.ws, name, `user-${Math.floor(this.#random() * USERS)}`);
        if (guest) this.guests.push(guest);
      }),
    );
  }

  async go(count: number): Promise<void> {
    this.#told(`${count} go`);
    const going = Array.from({ length: Math.min(count, this.guests.length) }, () => this.pick(this.guests));
    await Promise.all(going.map(async (guest) => (this.#random() < 0.5 ? guest.leave() : guest.drop())));
  }

  chat(count: number): void {
    this.#told(`${count} messages`);
    for (let i = 0; i < count; i++) {
      const topic = `/topic/${this.pick(['a', 'b', 'c'])}`;
      if (this.guests.length > 0) this.pick(this.guests).say(topic, 'x'.repeat(this.upTo(2000)));
    }
  }

  /** Something goes wrong, for a while; it is over when this resolves. */
  async fail(): Promise<void> {
    const place = this.pick(this.#places);
    const { name, network, serve } = place;
    const faults: [string, () => Promise<void>][] = [
      ['is slow to reach Redis', async () => network.delay(this.upTo(400))],
      ['loses all that it sends to Redis', async () => network.swallow()],
      ['is cut off from Redis', async () => network.cut()],
      ['has its connections reset', async () => network.reset()],
      ['is stopped', async () => void serve.process.kill('SIGSTOP')],
      ['is killed', async () => this.#kill(place)],
    ];
    const [what, begin] = this.pick(faults);
    this.#told(`${name} ${what}`);
    await begin();
    await sleep(this.upTo(3000));
    network.heal();
    place.serve.process.kill('SIGCONT');
  }

  /** Something goes wrong with Redis, and all nodes have it. */
  async failRedis(): Promise<void> {
    const faults: [string, () => Promise<unknown>][] = [
      ['is emptied', async () => this.redis.client.flushall()],
      ['is stopped', async () => this.#pauseRedis()],
      ['is killed, and comes back empty', async () => this.redis.kill().then(() => this.redis.restart())],
      ['loses a session key', async () => this.#deleteByHand()],
    ];
    const [what, act] = this.pick(faults);
    this.#told(`Redis ${what}`);
    await act();
  }

  async #pauseRedis(): Promise<void> {
    this.redis.pause();
    await sleep(this.upTo(3000));
    this.redis.resume();
  }

  async #deleteByHand(): Promise<void> {
    if (this.guests.length === 0) return;
    const { session, user } = this.pick(this.guests);
    await this.redis.client.del(`ws:session:${session}`);
    if (this.#random() < 0.5) await this.redis.client.srem(`ws:user:${user}`, session);
    if (this.#random() < 0.5) await this.redis.client.srem('ws:sessions:all', session);
  }

  /** Killed, and started again under its name. */
  async #kill(place: Place): Promise<void> {
    await place.serve.stop('SIGKILL');
    // Redis may be away, too: then it doesn't start.
    const start = () => startServe(place.network.url, ['--node', place.name]).catch(() => undefined);
    place.serve = (await until(start, 60_000, `${place.name} to start again`))!;
  }

  /** Who is there, by the sockets: session id to user. */
  online(): Map<string, string> {
    this.guests = this.guests.filter(({ online }) => online);
    return new Map(this.guests.map(({ session, user }) => [session, user]));
  }

  /** All nodes hold their lease. */
  async quiet(): Promise<void> {
    for (const { network, serve, name } of this.#places) {
      network.heal();
      serve.process.kill('SIGCONT');
      const isReady = async () => (await serve.rest('/readyz').catch(() => undefined))?.status === 200;
      await until(isReady, 60_000, `${name} to be ready`);
    }
  }

  async close(): Promise<void> {
    for (const guest of this.guests) guest.drop();
    for (const { serve, network } of this.#places) {
      serve.process.kill('SIGCONT');
      await serve.stop('SIGKILL');
      await network.close();
    }
  }

  /** What Redis says of everybody, without wssess. */
  async inRedis(): Promise<Map<string, string>> {
    const ids = await this.redis.client.smembers('ws:sessions:all');
    const users = ids.length > 0 ? await this.redis.client.mget(ids.map((id) => `ws:session:${id}`)) : [];
    return new Map(ids.flatMap((id, i) => (users[i] ? [[id, users[i]] as const] : [])));
  }

  /** What wssess's floor says: a directory on Redis itself. */
  async inDirectory({ directory }: Sessions): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for await (const { live } of directory.liveIds()) for (const { id, user } of live) all.set(id, user);
    return all;
  }
}
