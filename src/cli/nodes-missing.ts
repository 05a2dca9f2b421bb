/** Tells on standard error what an answer lacks, or holds that isn't real. */
import { visible } from '../common/escape.ts';
import type { LiveFacts } from '../sessions/live.ts';
import type { Io } from './io.ts';
import { plural } from './output/print.ts';

/** A dead node is told from a silent one: the sessions of the one are ghosts, those of the other may be fine. */
export function warnMissing(io: Io, { nodesMissing, ghosts }: Pick<LiveFacts, 'nodesMissing' | 'ghosts'>): void {
  if (nodesMissing.length === 0) return;
  const names = nodesMissing.map(visible).join(', ');
  if (ghosts.size > 0) {
    const what = ghosts.size === 1 ? '1 session is a ghost' : `${plural(ghosts.size, 'session')} are ghosts`;
    io.err(`warning: ${what}: the server that had the socket is dead (${names}). kick --purge removes its keys\n`);
  } else {
    io.err(`warning: ${names} did not answer: idle, subscriptions and counters of its sessions are not known\n`);
  }
}
