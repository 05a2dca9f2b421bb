/** The other nodes, as the broker sees them; relay/relay.ts is what is behind it. */
import type { Frame } from '../stomp/frame.ts';
import type { Target } from './destinations.ts';

/** What goes to other nodes: a queue stays on its own. */
export type Shared = Exclude<Target, { kind: 'unserved' | 'queue' }>;

/** Whose messages a subscription is for: a topic's, or a session's own: what is sent to it, to its user, to everyone. */
export type Audience = { kind: 'topic'; name: string } | { kind: 'own'; user: string };

export interface OtherNodes {
  /**
   * Gives them a message that this node has delivered to its own. Never throws.
   * @param number of the message, on this node
   * @returns resolves, never rejects, when it is with them or is lost; undefined when there is nothing to wait for
   */
  publish(target: Shared, number: number, frame: Frame): Promise<void> | undefined;
  /** When there is room for more; undefined while there is. */
  readonly room: Promise<void> | undefined;
  /**
   * A subscription here hears their messages from now on.
   * @returns as of `publish`: when they surely arrive
   */
  watch(audience: Audience): Promise<void> | undefined;
  /** It has ended. */
  unwatch(audience: Audience): void;
}

/** When all of them are over. */
export function together(works: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const waited = works.filter((work) => work !== undefined);
  return waited.length < 2 ? waited[0] : Promise.all(waited).then(() => {});
}
