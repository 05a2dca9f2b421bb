/**
 * How many connects an address may make a second. Each address has as many tokens as the rate, and gets them back with
 * time, so a burst of one second is let through. Loopback is exempt: it is this machine, or a proxy on it.
 */

/** Addresses that are remembered at most; who has all tokens again is forgotten first. */
const MOST = 100_000;

export class ConnectRate {
  readonly #rate: number;
  readonly #now: () => number;
  readonly #tokens = new Map<string, { left: number; at: number }>();

  /**
   * @param rate connects a second; 0: as many as they like
   * @param now milliseconds of a monotonic clock
   */
  constructor(rate: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Counts one connect. @returns false when it is one too many */
  allows(address: string): boolean {
    if (this.#rate === 0 || isLoopbackAddress(address)) return true;
    const who = network(address);
    const now = this.#now();
    const known = this.#tokens.get(who);
    const left = known ? Math.min(this.#rate, known.left + ((now - known.at) / 1000) * this.#rate) : this.#rate;
    const allowed = left >= 1;
    // Deleted first, so that the map is in the order of the last connects.
    this.#tokens.delete(who);
    this.#tokens.set(who, { left: allowed ? left - 1 : left, at: now });
    this.#forget(now);
    return allowed;
  }

  /** After a second of quiet an address has all its tokens, and is like one that never came. */
  #forget(now: number): void {
    for (const [who, { at }] of this.#tokens) {
      if (now - at < 1000 && this.#tokens.size <= MOST) return;
      this.#tokens.delete(who);
    }
  }
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** An IPv4 address; of IPv6 the first 64 bits, since one host may use all of them (RFC 4291, 2.5.1; RFC 7421). */
function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [front = '', back] = plain.split('::');
  const groups = front === '' ? [] : front.split(':');
  if (back !== undefined) {
    const tail = back === '' ? [] : back.split(':');
    while (groups.length + tail.length < 8) groups.push('0');
    groups.push(...tail);
  }
  return groups.slice(0, 4).join(':');
}
