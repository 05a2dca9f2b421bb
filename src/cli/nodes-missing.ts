/** Tells on standard error what an answer lacks, or holds that isn't real. */
import { visible } from '../common/escape.ts';
import type { LiveFacts } from '../sessions/live.ts';
import type { Io } from './io.ts';
import { thousands } from './output/print.ts';

/** Ids that the advice names; with more, it names the selection by which they are found. */
const MOST_IDS = 3;

/** A dead node is told from a silent one: the sessions of the one are ghosts, those of the other may be fine. */
export function warnMissing(io: Io, { nodesMissing, ghosts }: Pick<LiveFacts, 'nodesMissing' | 'ghosts'>): void {
  if (nodesMissing.length === 0) return;
  const names = nodesMissing.map(visible).join(', ');
  if (ghosts.size === 0) {
    io.err(`warning: ${names} did not answer: idle, subscriptions and counters of its sessions are not known\n`);
    return;
  }
  const what = ghosts.size === 1 ? '1 session is a ghost' : `${thousands(ghosts.size)} sessions are ghosts`;
  // By id: the name of the node may be a living process's again, whose sessions --node would select too.
  const ids = [...ghosts].slice(0, MOST_IDS).map(visible).join(' ');
  const more = ghosts.size > MOST_IDS ? ' …' : '';
  io.err(
    `warning: ${what}: the server that had the socket is dead (${names}). Remove: wssess kick --purge ${ids}${more}\n`,
  );
}
