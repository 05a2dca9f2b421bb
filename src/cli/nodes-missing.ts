/** Tells that an answer lacks what some nodes know. */
import { visible } from '../common/escape.ts';
import type { Io } from './io.ts';

export function warnMissing(io: Io, nodes: readonly string[]): void {
  if (nodes.length === 0) return;
  const names = nodes.map(visible).join(', ');
  io.err(`warning: ${names} did not answer: idle, subscriptions and counters of its sessions are not known\n`);
}
