/** Which sessions: one meaning of --user --role --node --except and of ids, for every surface. */
import type { Directory, Page } from './directory.ts';
import type { Session } from './model.ts';

/** Names that no node has, and what is shown for a role that isn't there: they select what has none. */
export const NO_NODE = '(foreign)';
export const NO_ROLE = '(none)';

/** Within a field one of the values must fit, and every field that is given must fit. */
export interface Selection {
  ids?: readonly string[] | undefined;
  users?: readonly string[] | undefined;
  roles?: readonly string[] | undefined;
  nodes?: readonly string[] | undefined;
  /** Ids of sessions to leave out. */
  except?: readonly string[] | undefined;
}

/** True when the selection names something, so that it isn't simply everything. */
export function isSelective({ ids, users, roles, nodes }: Selection): boolean {
  return [ids, users, roles, nodes].some((field) => field !== undefined);
}

/** Whether a session is selected. */
export function matches(selection: Selection): (session: Session) => boolean {
  const fits = (wanted: readonly string[] | undefined) => {
    if (wanted === undefined) return () => true;
    const set = new Set(wanted);
    return (value: string) => set.has(value);
  };
  const [id, user, role, node] = [selection.ids, selection.users, selection.roles, selection.nodes].map(fits);
  const except = new Set(selection.except);
  return (session) =>
    id!(session.id) &&
    user!(session.user) &&
    role!(session.role ?? NO_ROLE) &&
    node!(session.details?.node ?? NO_NODE) &&
    !except.has(session.id);
}

/** The selected sessions, page by page. Ids and users are looked up; anything else walks the set of all. */
export async function* find(directory: Directory, selection: Selection): AsyncGenerator<Page> {
  const fits = matches(selection);
  for await (const { sessions, skipped } of pages(directory, selection)) {
    yield { sessions: sessions.filter(fits), skipped };
  }
}

async function* pages(directory: Directory, { ids, users }: Selection): AsyncGenerator<Page> {
  if (ids) yield await directory.getAll(ids);
  else if (users) for (const user of new Set(users)) yield await directory.sessionsOf(user);
  else yield* directory.walk();
}

/** All selected sessions at once. */
export async function findAll(directory: Directory, selection: Selection): Promise<Page> {
  const whole: Page = { sessions: [], skipped: 0 };
  for await (const { sessions, skipped } of find(directory, selection)) {
    whole.sessions.push(...sessions);
    whole.skipped += skipped;
  }
  return whole;
}
