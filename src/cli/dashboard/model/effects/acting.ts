/** Does what was confirmed: page by page, each outcome told, stopped before the next page when that is asked. */
import { WssessError } from '../../../../common/errors.ts';
import { newActionId } from '../../../../common/ids.ts';
import { KICK_TIMEOUT, kick } from '../../../../sessions/kick.ts';
import type { Session } from '../../../../sessions/model.ts';
import { inPages } from '../../../../sessions/owners.ts';
import { ensureWritable } from '../../../../sessions/schema.ts';
import type { ActOutcome, Work } from '../state.ts';
import { Bell } from './bell.ts';
import { type Context, expected } from './context.ts';

/** Sessions a page: nodes answer once a page. */
const PAGE = 100;

type Outcomes = [id: string, outcome: ActOutcome][];

/** Until `signal`; what has been begun is finished, the next page isn't. */
export async function act(context: Context): Promise<void> {
  const { store, signal } = context;
  const bell = new Bell(signal);
  let started = 0;
  const end = store.subscribe(({ work }) => {
    if (work && work.serial > started) bell.ring();
  });
  try {
    while (!signal.aborted) {
      const { work } = store.get();
      if (!work || work.serial <= started) {
        await bell.wait();
        continue;
      }
      started = work.serial;
      const fault = await actOn(context, work).catch(expected);
      store.dispatch({
        type: 'worked',
        serial: work.serial,
        fault: fault ? `${fault.message}. ${fault.advice}` : null,
      });
    }
  } finally {
    end();
  }
}

async function actOn(context: Context, work: Work): Promise<void> {
  const { store, sessions, signal } = context;
  const actionId = newActionId();
  const outcomes = new Map<string, ActOutcome>();
  const tell = (fresh: Outcomes) => {
    for (const [id, outcome] of fresh) outcomes.set(id, outcome);
    store.dispatch({ type: 'progress', serial: work.serial, actionId, outcomes: new Map(outcomes) });
  };
  await ensureWritable(sessions.store, sessions.keys);
  for (const page of inPages(work.targets, PAGE)) {
    if (signal.aborted || store.get().work?.phase !== 'running') return;
    try {
      tell(await actOnPage(context, work, page, actionId));
    } catch (error) {
      // Redis was lost on the way: some of it may have been done.
      tell(page.map(({ id }) => [id, work.act === 'kick' ? 'unknown' : 'failed']));
      throw error;
    }
  }
}

async function actOnPage(
  { sessions, foreignTtl }: Context,
  { act: name, reason }: Work,
  page: readonly Session[],
  actionId: string,
): Promise<Outcomes> {
  if (name === 'kick') {
    const results = await kick(page, sessions, { actionId, reason, purge: false, timeout: KICK_TIMEOUT });
    return results.map(({ session_id, outcome }) => [session_id, outcome]);
  }
  return Promise.all(
    page.map(async (session) => {
      try {
        const user = await sessions.registry.refresh(session, session.details?.ttl ?? foreignTtl);
        return [session.id, user === undefined ? 'already_gone' : 'refreshed'] as const;
      } catch (error) {
        const isOwnFault = error instanceof WssessError && ['changed_meanwhile', 'key_type'].includes(error.code);
        if (!isOwnFault) throw error;
        return [session.id, 'failed'] as const;
      }
    }),
  ) as Promise<Outcomes>;
}
