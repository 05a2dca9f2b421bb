/**
 * Mutated frames against a live server. After each, its connection has its receipts, has had ERROR and the close, or holds
 * an unfinished frame within the limits; new connections are served, and the neighbours hear and are heard.
 * WSSESS_FUZZ_FRAMES says how many, WSSESS_FUZZ_SEED repeats a run.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { Lane, type Outcome } from '../helpers/fuzz/lane.ts';
import { Wire } from '../helpers/fuzz/wire.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';

const FRAMES = Number(process.env.WSSESS_FUZZ_FRAMES ?? 20_000);
const SEED = Number(process.env.WSSESS_FUZZ_SEED ?? Date.now() % 2 ** 32);
const LANES = 24;
/** Small, so that mutations meet them. */
const LIMITS = { maxHeaders: 10, maxHeaderBytes: 256, maxBody: 4096 };
const PATIENCE = 20_000;

describeWithRedis('hostile frames', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, [
      ...['--max-headers', String(LIMITS.maxHeaders), '--max-header', String(LIMITS.maxHeaderBytes)],
      ...['--max-body', String(LIMITS.maxBody), '--send-roles', 'ADMIN'],
    ]);
  });
  afterEach(() => dropClients());
  afterAll(async () => {
    await serve?.stop('SIGKILL');
    await redis?.stop();
  });

  /** A good client: sends frames of its own, and waits for what they must give. */
  async function good(user: string) {
    const heard: string[] = [];
    const wire = new Wire(serve.ws, ({ command, header }) =>
      heard.push(header('receipt-id') ?? header('number') ?? command),
    );
    await wire.until(() => wire.open, PATIENCE, `${user} to be served`);
    const ask = async (frame: string, answer: string) => {
      wire.text(frame);
      await wire.until(() => heard.includes(answer), PATIENCE, `${answer} for ${user}`);
      return heard.splice(0);
    };
    await ask(`CONNECT\naccept-version:1.2\nheart-beat:0,0\nuserId:${user}\n\n\0`, 'CONNECTED');
    return { wire, heard, ask };
  }

  it(`${FRAMES} frames: each is answered, refused or within the limits, and nobody else notices`, {
    timeout: 60_000 + FRAMES * 20,
  }, async () => {
    let working = true;
    const lanes = Array.from({ length: LANES }, (_, i) => new Lane(serve.ws, `lane${i}`, LIMITS));
    const counts: Record<Outcome['verdict'] | 'unfinished', number> = {
      receipt: 0,
      error: 0,
      disconnect: 0,
      unfinished: 0,
    };
    const attack = async (lane: Lane, first: number) => {
      for (let i = first; i < FRAMES && working; i += LANES) {
        const { verdict, unfinished } = await lane.run(SEED + i);
        counts[verdict]++;
        if (unfinished) counts.unfinished++;
      }
    };
    const attacks = () => Promise.all(lanes.map((lane, i) => attack(lane, i))).finally(() => (working = false));

    let published = 0;
    const subscriber = await good('subscriber');
    await subscriber.ask('SUBSCRIBE\nid:1\ndestination:/topic/neighbour\nreceipt:in\n\n\0', 'in');
    const publish = async () => {
      const { ask, wire } = await good('publisher');
      for (; working; published++) {
        const frame = `SEND\ndestination:/topic/neighbour\nnumber:n${published}\nreceipt:r${published}\n\n\0`;
        expect(await ask(frame, `r${published}`)).toEqual([`r${published}`]);
      }
      wire.destroy();
    };
    let served = 0;
    const comeAndGo = async () => {
      for (; working; served++) {
        const { ask, wire } = await good('newcomer');
        await ask('SEND\ndestination:/topic/newcomer\nreceipt:sent\n\n\0', 'sent');
        await ask('DISCONNECT\nreceipt:gone\n\n\0', 'gone');
        await wire.until(() => wire.code === 1000, PATIENCE, 'the close of a newcomer');
      }
    };

    try {
      await Promise.all([attacks(), publish(), comeAndGo()]);
      await subscriber.wire.until(() => subscriber.heard.length >= published, PATIENCE, 'the last messages');
    } catch (error) {
      throw new Error(`WSSESS_FUZZ_SEED=${SEED}: ${(error as Error).message}; server: ${serve.stderr().slice(-2000)}`);
    } finally {
      working = false;
      for (const lane of lanes) lane.close();
    }
    expect(subscriber.heard).toEqual(Array.from({ length: published }, (_, i) => `n${i}`));
    subscriber.wire.destroy();
    console.log(`seed ${SEED}: ${JSON.stringify(counts)}, ${published} published, ${served} newcomers`);

    // The mutations are worth something, and the neighbours were there.
    expect(counts.receipt + counts.error + counts.disconnect).toBe(FRAMES);
    for (const kind of ['receipt', 'error', 'unfinished'] as const) {
      expect(counts[kind], kind).toBeGreaterThan(FRAMES / 50);
    }
    expect(Math.min(published, served)).toBeGreaterThan(FRAMES / 1000);

    await nothingLeft(redis);
    expect(serve.stderr()).not.toMatch(/ at .*:\d+|Error|internal/);
    expect(await serve.stop()).toBe(0);
  });
});
