/** What addresses this machine has. */
import { networkInterfaces } from 'node:os';

const addresses = () => Object.values(networkInterfaces()).flatMap((some) => some ?? []);

/** Those that aren't loopback: one of IPv4 and one of IPv6, as far as there are any. */
export function outside(): string[] {
  const usable = addresses().filter(({ internal, scopeid }) => !internal && !scopeid); // a link's own needs its name
  return (['IPv4', 'IPv6'] as const).flatMap((family) => usable.find((one) => one.family === family)?.address ?? []);
}

export const hasIpv6 = (): boolean => addresses().some(({ family }) => family === 'IPv6');

/** All of them, to listen on. */
export const everywhere = (): string => (hasIpv6() ? '::' : '0.0.0.0');
