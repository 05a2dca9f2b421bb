/**
 * Sessions in bulk for what is measured at scale: one synthetic node, whose lease is held, registers them through the
 * registry, as a server would. At 20,000 a second 1,000,000 take under a minute.
 */
import type { Details } from '../src/sessions/model.ts';
import { NO_LOAD, RENEW_EVERY } from '../src/sessions/nodes.ts';
import type { Sessions } from '../src/sessions/sessions.ts';

export const NODE = { name: 'chat-1', incarnation: 'incarnation-0001' };
/** Registrations in flight. */
const AT_A_TIME = 100;
/** Milliseconds since 1970 at which the first session connected; the next ones come one a millisecond. */
const FIRST = 1_763_761_914_000;

/** Holds the lease of the synthetic node. @returns lets go of it */
export async function holdLease({ nodes }: Sessions): Promise<() => void> {
  const about = { url: 'http://127.0.0.1:28070', host: 'bench', pid: 1, version: '1', started_at: '', sessions: 0 };
  const hold = () => nodes.hold({ ...NODE, ...about, ...NO_LOAD });
  await hold();
  const renewal = setInterval(() => void hold(), RENEW_EVERY);
  return () => clearInterval(renewal);
}

/** Registers sessions `from` to `to`, without `to`. @param onProgress told how many are registered, now and then */
export async function register(
  { registry }: Sessions,
  from: number,
  to: number,
  onProgress: (registered: number) => void = () => {},
): Promise<void> {
  let next = from;
  const worker = async () => {
    for (let i = next++; i < to; i = next++) {
      await registry.register(idOf(i), detailsOf(i));
      if (i % 100_000 === 0 && i > from) onProgress(i);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

export const idOf = (i: number): string => `Zk3vQ8xw${String(i).padStart(8, '0')}`;

/** The i-th session: two of a user, one a millisecond. */
export function detailsOf(i: number): Details {
  return {
    node: NODE.name,
    incarnation: NODE.incarnation,
    user: `cust${i >> 1}`,
    role: i % 10 === 0 ? 'AGENT' : 'CUSTOMER',
    ip: `203.0.113.${i % 250}`,
    port: 50_000,
    connectedAt: FIRST + i,
    version: '1.2',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
    ttl: 86_400_000,
  };
}
