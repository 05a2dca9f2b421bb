/** /api/session: the seed's six routes to the letter, and DELETE. */
import { WssessError } from '../../common/errors.ts';
import { newActionId } from '../../common/ids.ts';
import { MAX_REASON } from '../../sessions/control.ts';
import { countSessions, EXACT, type Exactness } from '../../sessions/counts.ts';
import { KICK_TIMEOUT, type KickResult, kick, type Outcome } from '../../sessions/kick.ts';
import { isUsableId, type Session } from '../../sessions/model.ts';
import { ensureWritable } from '../../sessions/schema.ts';
import type { Answer, Call, RestOptions, Route } from './rest.ts';

/** Bytes of UTF-8 that a user in a path may have. */
const MAX_USER = 512;

const KICK_STATUS: Record<Outcome, number> = {
  kicked: 200,
  already_gone: 200,
  not_found: 404,
  no_owner: 409,
  node_unreachable: 504,
  timeout: 504,
  unknown: 504,
};

export function sessionRoutes({ sessions, allMax }: RestOptions): readonly Route[] {
  const all = shared(() => listAll(sessions, allMax));
  const count = shared(() => countSessions(sessions));
  return [
    {
      method: 'GET',
      path: '/api/session/all',
      handle: async () => {
        const ids = await all();
        return { body: { totalCount: ids.length, sessions: ids }, headers: exactness(EXACT) };
      },
    },
    {
      method: 'GET',
      path: '/api/session/stats',
      handle: async () => {
        const counts = await count();
        return {
          body: { totalActiveSessions: counts.sessions, timestamp: Date.now() },
          headers: exactness(counts),
        };
      },
    },
    { method: 'GET', path: '/api/session/user/{userId}', handle: ofUser },
    { method: 'GET', path: '/api/session/user/{userId}/online', handle: isOnline },
    { method: 'POST', path: '/api/session/{sessionId}/refresh', needs: 'nothing', handle: refresh },
    { method: 'GET', path: '/api/session/{sessionId}', handle: get },
    { method: 'DELETE', path: '/api/session/{sessionId}', handle: remove },
  ];
}

/** The seed's bodies have no place for it. */
function exactness({ exact, asOf }: Exactness): Record<string, string> {
  const headers = { 'X-Wssess-Exact': String(exact) };
  return asOf === null ? headers : { ...headers, 'X-Wssess-As-Of': new Date(asOf).toISOString() };
}

async function listAll({ directory }: RestOptions['sessions'], max: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { live } of directory.liveIds()) {
    for (const { id } of live) ids.push(id);
    if (ids.length > max) throw new WssessError('list_too_large', `there are more than ${max} sessions`);
  }
  return ids;
}

async function ofUser({ params }: Call, { sessions }: RestOptions): Promise<Answer> {
  const userId = user(params);
  const ids = (await sessions.directory.sessionsOf(userId)).sessions.map(({ id }) => id);
  return { body: { userId, isOnline: ids.length > 0, sessionCount: ids.length, sessions: ids } };
}

async function isOnline({ params }: Call, { sessions }: RestOptions): Promise<Answer> {
  const userId = user(params);
  const { length } = (await sessions.directory.sessionsOf(userId)).sessions;
  return { body: { userId, isOnline: length > 0, sessionCount: length } };
}

async function get(call: Call, options: RestOptions): Promise<Answer> {
  const { id, user: userId, role } = await live(call, options);
  return { body: { sessionId: id, userId, userRole: role } };
}

async function refresh(call: Call, options: RestOptions): Promise<Answer> {
  const { sessions, ttl } = options;
  const session = await live(call, options);
  await ensureWritable(sessions.store, sessions.keys);
  const userId = await sessions.registry.refresh(session, session.details?.ttl ?? ttl);
  if (userId === undefined) throw notFound(session.id);
  return { body: { sessionId: session.id, userId, refreshed: true } };
}

async function remove(call: Call, { sessions }: RestOptions): Promise<Answer> {
  const id = sessionId(call.params);
  const reason = call.query.get('reason');
  if (reason !== null && Buffer.byteLength(reason) > MAX_REASON) {
    throw new WssessError('bad_request', `reason has at most ${MAX_REASON} bytes`);
  }
  const found = (await sessions.directory.get(id)) ?? (await sessions.directory.lost([id]))[0];
  let result: Omit<KickResult, 'purged' | 'took'> = { session_id: id, user: null, node: null, outcome: 'not_found' };
  if (found) {
    await ensureWritable(sessions.store, sessions.keys);
    const purge = call.query.get('purge') === 'true';
    const options = { actionId: newActionId(), reason, purge, timeout: KICK_TIMEOUT };
    const { purged, took: _, ...published } = (await kick([found], sessions, options))[0]!;
    result = published;
    if (purged) return { body: result };
  }
  return { status: KICK_STATUS[result.outcome], body: result };
}

async function live({ params }: Call, { sessions }: RestOptions): Promise<Session> {
  const id = sessionId(params);
  const session = await sessions.directory.get(id);
  if (!session) throw notFound(id);
  return session;
}

function notFound(id: string): WssessError {
  return new WssessError('session_not_found', `no live session has the id ${JSON.stringify(id)}`);
}

function sessionId({ sessionId: id = '' }: Record<string, string>): string {
  if (!isUsableId(id)) throw new WssessError('bad_request', 'a session id has 1 to 512 bytes and no colon');
  return id;
}

function user({ userId = '' }: Record<string, string>): string {
  if (Buffer.byteLength(userId) > MAX_USER)
    throw new WssessError('bad_request', `a user has at most ${MAX_USER} bytes`);
  return userId;
}

/**
 * Callers that come while an answer is being made share the next one: it begins after they asked, so that what was
 * written a moment before is in it.
 */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    if (!next) {
      const mine = current.then(() => {
        next = undefined;
        return make();
      });
      next = mine;
      current = mine.catch(() => {});
    }
    return next;
  };
}
