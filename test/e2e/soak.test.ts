/**
 * A soak: clients that come, talk and go at random, kicks, nodes and networks and a Redis that fail at random; at each
 * quiet moment what the clients know, Redis, REST, `ls` and `doctor` agree to the last session. WSSESS_SOAK: seconds (120 in CI, else 30),
 * WSSESS_SOAK_SEED: repeats a run.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seeded } from '../../src/demo/people.ts';
import { kick } from '../../src/sessions/kick.ts';
import type { Sessions } from '../../src/sessions/sessions.ts';
import { openFloor } from '../helpers/floor.ts';
import { wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { Stage } from '../helpers/soak/stage.ts';
import { sleep, until } from '../helpers/wait.ts';

const SECONDS = Number(process.env.WSSESS_SOAK ?? (process.env.CI ? 120 : 30));
const SEED = Number(process.env.WSSESS_SOAK_SEED ?? Date.now() % 1_000_000);
/** Milliseconds: five times what a crash may take to be noticed. */
const PATIENCE = 75_000;
const ROUND = 8;

describeWithRedis(`a soak of ${SECONDS} s, WSSESS_SOAK_SEED=${SEED}`, () => {
  let redis: TestRedis;
  let stage: Stage;
  const acts: string[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    stage = new Stage(redis, seeded(SEED), (act) => acts.push(act));
    await stage.open();
  }, 60_000);
  afterAll(async () => {
    redis?.resume();
    await stage?.close();
    await redis?.stop();
  });

  /** Kicks somebody, as the CLI does it. */
  const throwOut = async (): Promise<void> => {
    const { session } = stage.guests.length > 0 ? stage.pick(stage.guests) : { session: '' };
    let sessions: Sessions | undefined;
    try {
      sessions = await openFloor(redis, 'ws', 2000);
      const found = await sessions.directory.get(session);
      if (!found) return;
      const options = { actionId: 'soak', reason: null, purge: stage.upTo(1) < 0.5, timeout: 1000 };
      acts.push(`kick of ${session}: ${(await kick([found], sessions, options))[0]?.outcome}`);
    } catch (error) {
      acts.push(`kick of ${session}: ${error}`);
    } finally {
      sessions?.store.close();
    }
  };

  const sorted = (map: ReadonlyMap<string, string>) => [...map].sort().map(([id, user]) => `${id} ${user}`);

  /** Waits until all agree; then it must stay so. */
  const agree = async (): Promise<void> => {
    await stage.quiet();
    const told = () => `seed ${SEED}; since the start:\n${acts.slice(-60).join('\n')}`;
    const same = async () => {
      const [redisSays, online] = [await stage.inRedis(), stage.online()];
      return sorted(redisSays).join() === sorted(online).join();
    };
    await until(same, PATIENCE, 'Redis to agree with the clients').catch(async (error: Error) => {
      expect(sorted(await stage.inRedis()), `${error.message}; ${told()}`).toEqual(sorted(stage.online()));
    });
    const online = stage.online();
    const ids = [...online.keys()].sort();
    for (const { rest } of stage.nodes) {
      expect((await rest('/api/session/all')).body.sessions.sort(), told()).toEqual(ids);
      expect((await rest('/api/session/stats')).body.totalActiveSessions).toBe(ids.length);
    }
    const env = { WSSESS_REDIS_URL: redis.url };
    const ls = await wssess(['ls', '--limit', '100000', '-o', 'json'], { env });
    const { complete, total, sessions } = JSON.parse(ls.stdout);
    const listed = new Map<string, string>(
      sessions.map(({ session_id, user }: { session_id: string; user: string }) => [session_id, user]),
    );
    expect([complete, total, sorted(listed)], told()).toEqual([true, ids.length, sorted(online)]);
    const sound = async () => (await wssess(['doctor', '-o', 'json'], { env })).code === 0;
    await until(sound, PATIENCE, 'doctor to find nothing').catch(async (error: Error) => {
      const { stdout } = await wssess(['doctor', '-o', 'json'], { env });
      throw new Error(`${error.message}: ${stdout}; ${told()}`);
    });
    expect(sorted(stage.online()), 'nobody was closed meanwhile').toEqual(sorted(online));
  };

  it(
    'ends with nobody lost, nobody twice and nobody left behind',
    async () => {
      const end = performance.now() + SECONDS * 1000;
      let rounds = 0;
      do {
        for (let act = 0; act < ROUND; act++) {
          await Promise.all([
            stage.come(Math.floor(stage.upTo(15))),
            stage.go(Math.floor(stage.upTo(8))),
            stage.upTo(1) < 0.5 ? stage.fail() : sleep(stage.upTo(300)),
            stage.upTo(1) < 0.15 ? stage.failRedis() : sleep(stage.upTo(100)),
            throwOut(),
          ]);
          stage.chat(Math.floor(stage.upTo(50)));
        }
        acts.push(`-- quiet ${++rounds}`);
        await agree();
      } while (performance.now() < end);
      expect(rounds).toBeGreaterThan(0);
    },
    SECONDS * 1000 + 10 * PATIENCE,
  );
});
