/** Writes again what Redis has lost of sessions that this process has a socket for, when whoever sweeps asks for it. */
import { millisecondsOf } from '../../sessions/clock.ts';
import type { RestoreOutcome } from '../../sessions/control.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Connection } from '../connection/connection.ts';

export interface Restoring {
  sessions: Pick<Sessions, 'store' | 'keys' | 'directory' | 'registry'>;
  incarnation: string;
  connections: ReadonlyMap<string, Connection>;
  /** Removes what Redis still holds of a session that this process has no socket for. */
  forgetGhost(id: string): Promise<void>;
  /** Writes a session from what this process knows of it. */
  rewrite(connection: Connection): Promise<void>;
  fault(error: unknown): void;
}

/** @returns what became of each. Never rejects: what can't be written now is left to the session's own renewal */
export async function restore(ids: readonly string[], node: Restoring): Promise<Map<string, RestoreOutcome>> {
  const outcomes = await Promise.all(
    ids.map((id) =>
      restoreOne(id, node).catch((error: unknown): RestoreOutcome => {
        node.fault(error);
        return 'kept';
      }),
    ),
  );
  return new Map(ids.map((id, i) => [id, outcomes[i]!]));
}

async function restoreOne(id: string, node: Restoring): Promise<RestoreOutcome> {
  const { sessions, incarnation, connections, forgetGhost, rewrite } = node;
  const { store, keys, directory, registry } = sessions;
  const connection = connections.get(id);
  if (!connection) return 'unknown';
  // One that is coming or going is being written or removed at this moment.
  if (connection.state !== 'open') return 'kept';
  const [{ traces }, [score, time]] = await Promise.all([
    directory.inspect([id]),
    store.batch<unknown>([['ZSCORE', keys.own(incarnation), id], ['TIME']]),
  ]);
  let trace = traces[0];
  if (trace?.packed === '') {
    await rewrite(connection);
    trace = (await directory.inspect([id])).traces[0];
  }
  if (!trace?.details || trace.details.incarnation !== incarnation) return 'kept';
  const { details, user, ttl } = trace;
  // What it had left: as its index says, which a refresh has raised too, or else what the last sign of its client gives.
  const now = millisecondsOf(time);
  const bySign = connection.lastSign + details.ttl - performance.now();
  const lost = Number.isFinite(Number(score)) ? Math.max(bySign, Number(score ?? 0) - now) : bySign;
  const left = user === null ? lost : (ttl ?? details.ttl);
  if (left <= 0) return 'kept'; // it expired, which its owner will notice
  await registry.renew(id, user ?? details.user, details, left);
  // It ended meanwhile, and this came behind its unregister.
  if (connections.get(id)?.state !== 'open') await forgetGhost(id);
  return 'restored';
}
