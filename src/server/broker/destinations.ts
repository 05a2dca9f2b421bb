/** What a destination means. Pure. */

export type Destination =
  | { kind: 'topic'; name: string }
  /** Known, and not served yet. */
  | { kind: 'absent'; what: string }
  | { kind: 'unknown' };

/** Kinds of destination that come with later versions, by how they begin. */
const ABSENT: readonly (readonly [start: string, what: string])[] = [
  ['/queue/', 'A /queue destination'],
  ['/user/', 'A /user destination'],
  ['/session/', 'A /session destination'],
  ['/all/', 'An /all destination'],
  ['/app/', 'An /app destination'],
];

/** Reads a destination: `/topic/**` is served to every subscriber. */
export function parseDestination(name: string): Destination {
  if (name.startsWith('/topic/')) return { kind: 'topic', name };
  if (name === '/ws') return { kind: 'absent', what: 'The destination /ws' };
  const later = ABSENT.find(([start]) => name.startsWith(start));
  return later ? { kind: 'absent', what: later[1] } : { kind: 'unknown' };
}
