/** How sessions are sorted: pure. */
import type { Session } from '../../../sessions/model.ts';
import type { Said, Sort } from './state.ts';

/** What a session is sorted by; null comes last, either way. */
type Value = string | number | null;

/** Orders sessions. @param said what nodes said of them: the order by idle needs it */
export function orderOf(
  { by, reversed }: Sort,
  said: ReadonlyMap<string, Said> = new Map(),
): (a: Session, b: Session) => number {
  const keyOf = {
    connected: ({ details }: Session): Value => details?.connectedAt ?? null,
    idle: ({ id }: Session): Value => lastSign(said.get(id)),
    user: ({ user }: Session): Value => user,
    ttl: ({ ttl }: Session): Value => ttl,
  }[by];
  // Newest first; longest idle, the first users and the shortest TTL first.
  const sign = (by === 'connected' ? -1 : 1) * (reversed ? -1 : 1);
  return (a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    if (x === null || y === null) return x === y ? compare(a.id, b.id) : x === null ? 1 : -1;
    // Among equal ones, Redis goes by the id, in the direction of the order.
    if (x === y) return compare(a.id, b.id) * (by === 'connected' ? sign : 1);
    return compare(x, y) * sign;
  };
}

/** When the client last gave a sign: the longest idle comes first in this order. */
function lastSign(said: Said | undefined): number | null {
  return said ? said.at - said.live.idle : null;
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
