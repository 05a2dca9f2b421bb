/** What an act is about: the selected sessions as they are now, and the ids that name none. */
import type { Directory } from './directory.ts';
import type { Session } from './model.ts';
import { findAll, matches, type Selection } from './selection.ts';

export interface Targets {
  found: Session[];
  /** Ids that were named and aren't alive. */
  missing: string[];
}

/** @param options lost: among named ids, sessions too that were reaped and may come back with their node */
export async function targetsOf(
  directory: Directory,
  selection: Selection,
  { lost = false }: { lost?: boolean } = {},
): Promise<Targets> {
  if (!selection.ids) return { found: (await findAll(directory, selection)).sessions, missing: [] };
  const except = new Set(selection.except);
  const wanted = [...new Set(selection.ids)].filter((id) => !except.has(id));
  const { sessions } = await directory.getAll(wanted);
  const alive = new Set(sessions.map(({ id }) => id));
  const absent = wanted.filter((id) => !alive.has(id));
  const may = lost ? await directory.lost(absent) : [];
  const isLost = new Set(may.map(({ id }) => id));
  return {
    found: [...sessions, ...may].filter(matches(selection)),
    missing: absent.filter((id) => !isLost.has(id)),
  };
}
