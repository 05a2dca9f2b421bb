/** Tells on standard error what an answer lacks. */
import { visible } from '../common/escape.ts';
import type { LeftOut } from '../sessions/presence.ts';
import type { Io } from './io.ts';
import { plural } from './output/print.ts';

const named = (nodes: readonly string[]): string => nodes.map(visible).join(', ');

/** Nodes that were asked and did not answer. */
export function warnUnanswered(io: Io, nodes: readonly string[]): void {
  if (nodes.length === 0) return;
  io.err(`warning: ${named(nodes)} did not answer: idle, subscriptions and counters of its sessions are not known\n`);
}

/** Sessions of dead nodes, which nobody has removed so far. */
export function warnLeftOut(io: Io, { ids, nodes }: LeftOut): void {
  if (ids.length === 0) return;
  const [count, whose] = [plural(ids.length, 'session'), ids.length === 1 ? 'its' : 'their'];
  io.err(
    `warning: ${count} left out: ${whose} server is dead (${named(nodes)}). Remove what it left: wssess doctor --fix\n`,
  );
}

/** The same for the head of a frame; nothing where nothing is lacking. */
export function lacking(unanswered: readonly string[], { ids, nodes }: LeftOut): string {
  const silent = unanswered.length > 0 ? ` · no answer from ${named(unanswered)}` : '';
  return ids.length > 0 ? `${silent} · ${plural(ids.length, 'session')} of dead ${named(nodes)} left out` : silent;
}
