/** Throws sessions out, and says of each what really happened. */
import type { Session } from './model.ts';
import { byOwner, type Owned } from './owners.ts';
import type { Sessions } from './sessions.ts';
import { Throttle } from './throttle.ts';
import type { Ended } from './tombstone.ts';

/**
 * `kicked`: its node closed the socket · `already_gone`: it ended since it was looked up · `not_found` · `no_owner`: a
 * foreign session, nothing was changed · `node_unreachable`: its node's lease is gone, and with it perhaps its keys; it may
 * come back · `timeout`: its node didn't answer and certainly won't act · `unknown`: its node took the request and never
 * answered.
 */
export type Outcome = 'kicked' | 'already_gone' | 'not_found' | 'no_owner' | 'node_unreachable' | 'timeout' | 'unknown';

export interface KickResult {
  session_id: string;
  user: string | null;
  node: string | null;
  outcome: Outcome;
  /** True when --purge removed the keys. This and what follows is not part of the published shape. */
  purged: boolean;
  /** Milliseconds from the beginning until it was known. */
  took: number;
}

/** Milliseconds for a node to answer: longer than a lease lasts, so that a node that died is told from a slow one. */
export const KICK_TIMEOUT = 10_000;
/** Sessions in one request: a node answers once a page, so that many are seen to progress. */
const PAGE = 100;

export interface KickOptions {
  actionId: string;
  /** Told to the client; at most 1,024 bytes. */
  reason: string | null;
  /** Remove the keys of sessions that no living node owns. */
  purge: boolean;
  /** Milliseconds for each request to a node. */
  timeout: number;
  /** How fast sessions are thrown out; it may call the rest off. */
  pace?: Throttle;
}

/**
 * Kicks sessions that were just looked up. Nodes are asked at the same time, each page after page.
 * @returns a result for each, as they came in; none for those that were called off: nothing was done about them
 * @throws WssessError when Redis fails
 */
export async function kick(
  targets: readonly Session[],
  { directory, registry, nodes, control }: Pick<Sessions, 'directory' | 'registry' | 'nodes' | 'control'>,
  { actionId, reason, purge, timeout, pace = new Throttle() }: KickOptions,
): Promise<KickResult[]> {
  const begin = performance.now();
  const results: KickResult[] = [];
  const report = (session: Session, outcome: Outcome, purged = false) => {
    results.push({
      session_id: session.id,
      user: session.user,
      node: session.details?.node ?? null,
      outcome,
      purged,
      took: performance.now() - begin,
    });
  };
  const ended: Ended = { cause: 'kicked', reason, actionId };
  /**
   * What nobody did anything about: some of it may have ended by itself since it was looked up. What went with its node
   * has not surely ended: it may come back with that node, so to purge it is to leave a tombstone all the same.
   */
  const notKicked = async (sessions: readonly Session[], outcome: Outcome) => {
    const now = new Map((await directory.getAll(sessions.map(({ id }) => id))).sessions.map((one) => [one.id, one]));
    const lost = await directory.lost(sessions.flatMap(({ id }) => (now.has(id) ? [] : [id])));
    const lostBy = new Map(lost.map(({ id, details }) => [id, details?.incarnation]));
    for (const session of sessions) {
      const { id, details, packed } = session;
      const isLost = details !== null && lostBy.get(id) === details.incarnation;
      const isGone = now.get(id)?.packed !== packed && !isLost;
      const purges = purge && outcome !== 'timeout' && !(isGone && !details);
      if (purges && (await pace.take(1)) === 0) return;
      const purged = purges && (await registry.purge(session, ended));
      if (isGone && outcome !== 'node_unreachable') report(session, 'already_gone');
      else report(session, outcome, purged);
    }
  };

  const kickOwned = async ({ node, incarnation, sessions }: Owned) => {
    const isAlive = async () => (await nodes.living([node])).get(node) === incarnation;
    for (let at = 0; at < sessions.length; ) {
      const page = sessions.slice(at, at + (await pace.take(Math.min(PAGE, sessions.length - at))));
      if (page.length === 0) return;
      at += page.length;
      const asks = { sessions: page.map(({ id }) => id), action_id: actionId, reason };
      const asked = await control.ask(incarnation, 'kick', asks, timeout, isAlive);
      const outcomes = new Map(
        asked.outcome === 'answered' ? asked.results.map((one) => [one.session_id, one.outcome]) : [],
      );
      if (asked.outcome === 'gone') await notKicked(page, 'node_unreachable');
      else if (asked.outcome === 'timeout') await notKicked(page, 'timeout');
      else for (const session of page) report(session, outcomes.get(session.id) ?? 'unknown');
    }
  };

  await notKicked(
    targets.filter(({ details }) => !details),
    'no_owner',
  );
  await Promise.all(
    (await byOwner(targets, nodes)).map(async (owned) => {
      if (owned.alive) await kickOwned(owned);
      else await notKicked(owned.sessions, 'node_unreachable');
    }),
  );
  return results;
}

/** True when nothing is left to do for this session. */
export function isDone({ outcome, purged }: KickResult): boolean {
  return outcome === 'kicked' || outcome === 'already_gone' || purged;
}

/** True when a node that should have acted didn't answer. */
export function isUnanswered({ outcome, purged }: KickResult): boolean {
  return !purged && (outcome === 'node_unreachable' || outcome === 'timeout' || outcome === 'unknown');
}
