/** What `wssess kick` is about to do with the sessions that it found: foreign ones and those of dead nodes are not closed. */
import type { Session } from '../../sessions/model.ts';
import type { Nodes } from '../../sessions/nodes.ts';
import { byOwner } from '../../sessions/owners.ts';
import { plural, thousands } from './print.ts';

export interface Outlook {
  /** How many are closed by their nodes. */
  kicked: number;
  foreign: number;
  /** Ids of those whose node is dead. */
  ghosts: Set<string>;
  /** What nobody closes has its keys removed. */
  purge: boolean;
}

/** Looks which sessions have a living node. @throws WssessError when Redis fails */
export async function lookAhead(found: readonly Session[], nodes: Nodes, purge: boolean): Promise<Outlook> {
  const owners = await byOwner(found, nodes);
  const ghosts = new Set(owners.flatMap(({ alive, sessions }) => (alive ? [] : sessions.map(({ id }) => id))));
  const foreign = found.filter(({ details }) => !details).length;
  return { kicked: found.length - foreign - ghosts.size, foreign, ghosts, purge };
}

/**
 * `1 session would be kicked, 1 is foreign and stays (another program has its socket)`
 * @param tense what stands before the participle: `would be`, `will be`
 */
export function sentenceOf({ kicked, foreign, ghosts, purge }: Outlook, tense: string): string {
  const sockets = foreign === 1 ? 'its socket' : 'their sockets';
  const rest = (count: number, what: string) => {
    if (count === 0) return '';
    const isOne = count === 1;
    const fate = purge ? `: ${isOne ? 'its' : 'their'} keys ${tense} removed` : ` and ${isOne ? 'stays' : 'stay'}`;
    return `, ${thousands(count)} ${isOne ? 'is' : 'are'} ${what}${fate}`;
  };
  const foreigners = rest(foreign, 'foreign');
  const why = purge ? `, ${sockets} may live on` : ` (another program has ${sockets})`;
  const hint = kicked === 0 && !purge ? '; --purge removes the keys' : '';
  return `${kicked === 0 ? 'no session' : plural(kicked, 'session')} ${tense} kicked${foreigners}${
    foreigners && why
  }${rest(ghosts.size, 'of a dead node')}${hint}`;
}
