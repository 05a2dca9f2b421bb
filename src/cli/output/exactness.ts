/** How an answer says that it isn't exact, and from when it is. */
import type { Exactness } from '../../sessions/counts.ts';

/** The published fields: `as_of` only where it isn't exact. */
export function exactness({ exact, asOf }: Exactness): { exact: boolean; as_of?: string } {
  return asOf === null ? { exact } : { exact, as_of: new Date(asOf).toISOString() };
}

/** `  (as of 14:27:01)` for people; nothing where it is exact. */
export function since({ asOf }: Exactness): string {
  return asOf === null ? '' : `  (as of ${new Date(asOf).toTimeString().slice(0, 8)})`;
}
