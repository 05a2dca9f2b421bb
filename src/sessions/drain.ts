/** Drains a node: asks its process to take no connections and to close its sessions, and watches until none is left. */
import { WssessError, wrongType } from '../common/errors.ts';
import { pause } from '../common/pause.ts';
import type { DrainAsks, DrainState } from './control.ts';
import type { NodeState, Process } from './nodes.ts';
import type { Sessions } from './sessions.ts';

/** Milliseconds for a node to answer: longer than a lease lasts, so that one that died is told from a slow one. */
const ANSWER = 10_000;
/** Milliseconds between looks at the lease, which the node renews as soon as it is done. */
const LOOK_EVERY = 250;

/**
 * `drained`: it has no session, and stays up; `ended`: the process has ended, and left none; `lost`: it died with
 * sessions; `undone`: another has made it take connections again; `draining`: none of these yet.
 */
export interface Draining {
  state: 'draining' | 'drained' | 'ended' | 'lost' | 'undone';
  /** Sessions that it has. */
  sessions: number;
}

/** The node of this name, and how many others take connections. @throws WssessError `node_not_found`, `node_unreachable` */
export async function findNode(
  name: string,
  { store, keys, nodes }: Pick<Sessions, 'store' | 'keys' | 'nodes'>,
): Promise<{ process: Process; sessions: number; others: number }> {
  const list = await nodes.list();
  const found = list.find((node) => node.name === name);
  if (!found) throw new WssessError('node_not_found', `no node ${name} was seen in the last day`);
  if (!found.info) {
    // What isn't a string looks as if it weren't there.
    if ((await store.call<number>('EXISTS', keys.lease(name))) === 1) throw wrongType(keys.lease(name));
    throw new WssessError('node_unreachable', `node ${name} is dead: its lease is gone`);
  }
  const takesConnections = ({ name: other, info }: NodeState) => other !== name && info !== null && !info.draining;
  const { incarnation } = found.info;
  // Not what its lease says, which may be 2 s old.
  const sessions = await store.call<number>('ZCARD', keys.own(incarnation));
  return { process: { name, incarnation }, sessions, others: list.filter(takesConnections).length };
}

/**
 * Asks the process; it answers once its lease tells of it.
 * @throws WssessError `node_unreachable`: it didn't answer, and the message says whether it may act all the same
 */
export async function askDrain(
  { name, incarnation }: Process,
  { control, nodes }: Pick<Sessions, 'control' | 'nodes'>,
  asks: DrainAsks,
  timeout = ANSWER,
): Promise<DrainState> {
  const isAlive = async () => (await nodes.info({ name, incarnation })) !== undefined;
  const asked = await control.ask(incarnation, 'drain', asks, timeout, isAlive);
  if (asked.outcome === 'answered' && asked.results[0]) return asked.results[0];
  switch (asked.outcome) {
    case 'gone':
      throw new WssessError(
        'node_unreachable',
        `node ${name} lost its lease before it took the request: nothing was done`,
      );
    case 'timeout':
      throw new WssessError('node_unreachable', `node ${name} did not answer, and will not act on it any more`);
    default:
      throw new WssessError(
        'node_unreachable',
        `node ${name} took the request and did not say what became of it, or is too old to know it`,
      );
  }
}

/** Looks again and again, until it is over or the signal comes. @throws WssessError when Redis fails */
export async function* watchDrain(
  process: Process,
  { store, keys, nodes }: Pick<Sessions, 'store' | 'keys' | 'nodes'>,
  signal?: AbortSignal,
): AsyncGenerator<Draining> {
  while (!signal?.aborted) {
    const info = await nodes.info(process);
    if (!info) {
      const left = await store.call<number>('ZCARD', keys.own(process.incarnation));
      yield { state: left > 0 ? 'lost' : 'ended', sessions: left };
      return;
    }
    const { draining, sessions } = info;
    const state = !draining ? 'undone' : sessions === 0 ? 'drained' : 'draining';
    yield { state, sessions };
    if (state !== 'draining') return;
    await pause(LOOK_EVERY, signal);
  }
}
