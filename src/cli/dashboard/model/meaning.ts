/** What is told in words: what follows from an outcome, and whom a list leaves out. */
import type { ActOutcome, Foreign } from './state.ts';

/** What follows from an outcome, in words; '' where nothing does. */
export const MEANING: Record<ActOutcome, string> = {
  kicked: '',
  refreshed: '',
  already_gone: 'it ended meanwhile',
  not_found: 'no live session has this id',
  no_owner:
    'a foreign session, another program has its socket: nothing was changed; wssess kick --purge removes its keys',
  node_unreachable: 'its node is dead: no socket is left; wssess kick --purge removes its keys',
  timeout: 'its node did not answer, and will not act on it any more',
  failed: 'its keys could not be written: others keep changing them, or they hold something else',
  unknown: 'its node took the request and did not answer: look again',
};

/** Users of foreign sessions alone, who are in no index. */
export function unlistedUsers({ users, partial }: Pick<Foreign, 'users' | 'partial'>): string {
  const more = partial ? '+' : '';
  const who =
    users === 1 && !more
      ? '1 user of foreign sessions is'
      : `${users.toLocaleString('en-US')}${more} users of foreign sessions are`;
  return `${who} not listed here: wssess ls --by user`;
}
