/**
 * Every Redis key and channel of wssess, and nowhere else; docs/keys.md describes them.
 *
 * The four families (`session`, `role`, `user`, `all`) are a published interface that other programs read and write:
 * they stay byte for byte. All else lies under `{prefix}:x:`.
 */
export class Keys {
  readonly #prefix: string;

  /** @param prefix `ws`, or with a hash tag for a Cluster: `{ws}` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** String: the user. */
  session = (id: string): string => `${this.#prefix}:session:${id}`;
  /** String: the role; absent when there is none. */
  role = (id: string): string => `${this.#prefix}:session:${id}:role`;
  /** Set: the user's session ids. */
  user = (user: string): string => `${this.#prefix}:user:${user}`;
  /** Set: all session ids. */
  get all(): string {
    return `${this.#prefix}:sessions:all`;
  }

  /** Pattern for SCAN of the keys of the families, the set of all among them. */
  get families(): string {
    return `${this.#prefix}:[su]*`;
  }
  /** What a key of the families belongs to; undefined for the set of all, and for what is none. */
  parse(key: string): { of: 'session' | 'role' | 'user'; name: string } | undefined {
    const rest = (start: string) => (key.startsWith(start) ? key.slice(start.length) : undefined);
    const user = rest(this.user(''));
    if (user !== undefined) return { of: 'user', name: user };
    const id = rest(this.session(''));
    if (id === undefined) return undefined;
    return id.endsWith(':role') ? { of: 'role', name: id.slice(0, -':role'.length) } : { of: 'session', name: id };
  }

  /** String: version of this layout. */
  get schema(): string {
    return `${this.#prefix}:x:schema`;
  }
  /** String: what a node knows of its session at CONNECT, a packed JSON array (model.ts). */
  details = (id: string): string => `${this.#prefix}:x:details:${id}`;
  /** Sorted set: ids of the nodes' sessions by connect time. */
  get newest(): string {
    return `${this.#prefix}:x:newest`;
  }
  /** Sorted set: ids of the sessions of the process of this incarnation, by when they expire (ms since 1970). */
  own = (incarnation: string): string => `${this.#prefix}:x:own:${incarnation}`;
  /** Sorted set: users of the nodes' sessions by their latest connect time. */
  get users(): string {
    return `${this.#prefix}:x:users`;
  }
  /** String: a node's lease; begins with the incarnation. */
  lease = (node: string): string => `${this.#prefix}:x:node:${node}`;
  /** String: a session of a node taken for dead was ended; the incarnation, then how (tombstone.ts). */
  tombstone = (id: string): string => `${this.#prefix}:x:tombstone:${id}`;
  /** String: whose a session was that was reaped when its node was taken for dead; the incarnation, then details (tombstone.ts). */
  lost = (id: string): string => `${this.#prefix}:x:lost:${id}`;
  /** Sorted set: names of nodes by when they last renewed their lease. */
  get nodes(): string {
    return `${this.#prefix}:x:nodes`;
  }
  /**
   * Sorted set: processes, `{incarnation} {name}`, by when they last renewed their lease; those that left sessions behind
   * too, until these are reaped.
   */
  get processes(): string {
    return `${this.#prefix}:x:processes`;
  }
  /** String: incarnation of the process that sweeps. */
  get sweeper(): string {
    return `${this.#prefix}:x:sweeper`;
  }
  /** Sorted set: ids of foreign sessions by when they expire (ms since 1970), where they are too many to walk. */
  get foreign(): string {
    return `${this.#prefix}:x:foreign`;
  }
  /** Sorted set: users of these who have no session of a node, by when the sweep last met them. */
  get foreignUsers(): string {
    return `${this.#prefix}:x:foreign-users`;
  }
  /** String: what the last whole sweep counted, JSON, where there are too many to walk. */
  get swept(): string {
    return `${this.#prefix}:x:swept`;
  }
  /** Channel that wakes the process of this incarnation: a request waits. */
  wake = (incarnation: string): string => `${this.#prefix}:x:wake:${incarnation}`;
  /** Channel of the messages to a topic, named by its destination. */
  toTopic = (destination: string): string => `${this.#prefix}:x:to:topic:${destination}`;
  /** Channel of the messages to a user. */
  toUser = (user: string): string => `${this.#prefix}:x:to:user:${user}`;
  /** Channel of the messages to single sessions of the process of this incarnation. */
  toProcess = (incarnation: string): string => `${this.#prefix}:x:to:process:${incarnation}`;
  /** Channel of the messages to everyone. */
  get toAll(): string {
    return `${this.#prefix}:x:to:all`;
  }
  /** String: a request to a node. */
  request = (request: string): string => `${this.#prefix}:x:request:${request}`;
  /** List: the answer to a request. */
  answer = (request: string): string => `${this.#prefix}:x:answer:${request}`;
}

/** Version of the layout; a Redis that holds a higher one is not written to. */
export const SCHEMA = 1;
