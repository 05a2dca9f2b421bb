/** Kicks while the network, Redis's answers and the node fail at random: does each outcome tell the truth? */
import { setTimeout as sleep } from 'node:timers/promises';
import { type KickResult, kick } from '../../src/sessions/kick.ts';
import { openSessions } from '../../src/sessions/sessions.ts';
import { connect } from '../../src/store/connect.ts';
import { type FaultProxy, startFaultProxy } from '../../test/helpers/fault-proxy.ts';
import { disperse, gather, type Visitor } from './crowd.ts';
import { Node, type OwnRedis, until } from './stage.ts';

/** Kicks while one fault lasts. */
const ABREAST = 10;
/** Milliseconds that a node may take to answer. */
const TIMEOUT = 1500;

export interface Verdict {
  /** How many ended in each outcome, or in an error that said so. */
  outcomes: Map<string, number>;
  /** `kicked` though the socket lives, or not done and acted on later. */
  wrong: string[];
}

/** A fault, and how it ends. Milliseconds are drawn by `upTo`. */
type Fault = (node: Node, way: FaultProxy, upTo: (ms: number) => number) => Promise<void>;

const FAULTS: Record<string, Fault> = {
  none: async () => {},
  'a slow network': async (_, way, upTo) => {
    way.delay(upTo(800));
    await sleep(upTo(3000));
  },
  'a network that loses all': async (_, way, upTo) => {
    way.swallow();
    await sleep(upTo(4000));
  },
  'a network that holds back answers': async (_, way, upTo) => {
    way.hold('to server');
    await sleep(upTo(4000));
  },
  'connections reset': async (_, way, upTo) => {
    await sleep(upTo(30));
    way.reset();
  },
  'no connections': async (_, way, upTo) => {
    way.cut();
    await sleep(upTo(2000));
  },
  'a stopped node': async (node, _, upTo) => {
    await sleep(upTo(20));
    node.signal('SIGSTOP');
    await sleep(upTo(4000));
    node.signal('SIGCONT');
  },
};

/**
 * @param random 0 to 1, from a seed
 * @param only names of faults; all unless given
 */
export async function kicksUnderFaults(
  redis: OwnRedis,
  count: number,
  random: () => number,
  progress: (done: number) => void = () => {},
): Promise<Verdict> {
  const [ofNode, ofCaller] = await Promise.all([startFaultProxy(redis.port), startFaultProxy(redis.port)]);
  const node = await Node.start(ofNode.url, 'kicked');
  const verdict: Verdict = { outcomes: new Map(), wrong: [] };
  const spared: Visitor[] = [];
  const note = (outcome: string) => verdict.outcomes.set(outcome, (verdict.outcomes.get(outcome) ?? 0) + 1);
  for (let done = 0; done < count; done += ABREAST) {
    await until(() => isReady(node), 'the node to be ready');
    const visitors = await gather(node.url, Math.min(ABREAST, count - done), `round-${done}`);
    const names = Object.keys(FAULTS);
    const name = names[Math.floor(random() * names.length)]!;
    const way = random() < 0.5 ? ofNode : ofCaller;
    const failing = FAULTS[name]!(node, way, (ms) => random() * ms).finally(() => {
      ofNode.heal();
      ofCaller.heal();
    });
    const told = await Promise.all(
      visitors.map(async (visitor) => {
        await sleep(random() * 100);
        return { visitor, result: await kickOne(ofCaller.url, visitor) };
      }),
    );
    await failing;
    for (const { visitor, result } of told) {
      note(result);
      const act = `${result} of ${visitor.session}, with ${name} between Redis and ${way === ofNode ? 'the node' : 'the caller'}`;
      if (result === 'kicked') {
        await until(() => visitor.closed !== undefined, `${act}: the socket to be closed`).catch(() => {});
        if (visitor.closed !== 4001) verdict.wrong.push(act);
      } else if (isSpared(result)) spared.push(visitor);
    }
    progress(done + visitors.length);
  }
  await until(() => isReady(node), 'the node to be ready');
  await sleep(2 * TIMEOUT);
  for (const { session, closed } of spared) {
    if (closed === 4001) verdict.wrong.push(`${session} was kicked after its caller was told that it was not`);
  }
  disperse(spared);
  await node.kill();
  await Promise.all([ofNode.close(), ofCaller.close()]);
  await redis.client.flushall();
  return verdict;
}

/** Nothing was done about it, and never will be. */
const isSpared = (result: string) => ['timeout', 'node_unreachable', 'not_done'].includes(result);

/** As a command does it: on connections of its own. @returns the outcome, or what the caller was told instead */
async function kickOne(url: string, { session }: Visitor): Promise<KickResult['outcome'] | 'not_done'> {
  try {
    const store = await connect({ url, source: 'kick', timeout: 1000, lasting: false });
    const sessions = openSessions(store, 'ws');
    try {
      const found = await sessions.directory.get(session);
      if (!found) return 'not_found';
      const options = { actionId: 'reliability', reason: null, purge: false, timeout: TIMEOUT };
      return (await kick([found], sessions, options))[0]!.outcome;
    } finally {
      store.close();
    }
  } catch {
    return 'not_done'; // an error, exit 5: Redis was not reached before the request was written
  }
}

async function isReady(node: Node): Promise<boolean> {
  return (await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined))?.ok === true;
}
