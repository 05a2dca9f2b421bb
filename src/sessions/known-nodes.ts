/**
 * The nodes as whoever watches remembers them from one look to the next. frame.lua can only be given the keys of nodes
 * that are known; it names those that are not, and they are met before the next look.
 */
import { isNodeName, type NodeInfo, type Nodes, parseLease } from './nodes.ts';

/** A node, its lease, and how many sessions it has. */
export interface NodeLoad {
  name: string;
  alive: boolean;
  /** Milliseconds since 1970: when it last renewed. */
  seenAt: number;
  info: NodeInfo | null;
  /** Live own sessions; 0 of a node whose lease is gone. */
  sessions: number;
}

/** Nodes that are named: those seen last. */
export const MOST_NODES = 400;

/** Name and incarnation of a node whose lease lived when it was last looked at. */
export type Known = readonly [name: string, incarnation: string];

export class KnownNodes {
  readonly #nodes: Nodes;
  readonly #living = new Map<string, string>();
  /** Of each node without a lease: when it had been seen. Seen again, it is a stranger again. */
  readonly #gone = new Map<string, number>();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  get living(): Known[] {
    return [...this.#living];
  }

  /**
   * Reads what frame.lua says.
   * @param asked the nodes whose keys it was given
   * @param seen names of nodes and when they were seen
   * @param found of each node asked for: its lease, and how many of its sessions live
   * @returns the nodes by name; and of those that are not as they are remembered, when they were seen
   */
  read(
    asked: readonly Known[],
    seen: readonly (readonly [name: string, at: string])[],
    found: readonly (readonly [lease: string | null, sessions: number])[],
  ): { nodes: NodeLoad[]; strangers: Map<string, number> } {
    const answers = new Map(asked.map(([name, incarnation], i) => [name, { incarnation, answer: found[i]! }]));
    const strangers = new Map<string, number>();
    const nodes: NodeLoad[] = [];
    for (const [name, at] of seen) {
      const seenAt = Number(at);
      if (!isNodeName(name) || !Number.isSafeInteger(seenAt)) continue;
      const { incarnation, answer } = answers.get(name) ?? {};
      const info = answer?.[0] ? parseLease(name, answer[0]) : null;
      const same = info !== null && info.incarnation === incarnation;
      if (answer ? !same : this.#gone.get(name) !== seenAt) strangers.set(name, seenAt);
      nodes.push({ name, alive: info !== null, seenAt, info, sessions: same ? answer![1] : 0 });
    }
    const names = new Set(nodes.map(({ name }) => name));
    for (const known of [this.#living, this.#gone]) {
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    }
    return { nodes: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)), strangers };
  }

  /**
   * Looks at nodes that are not as they are remembered.
   * @returns true when another look at everything says more
   */
  async meet(strangers: ReadonlyMap<string, number>): Promise<boolean> {
    if (strangers.size === 0) return false;
    const living = await this.#nodes.living([...strangers.keys()]);
    for (const [name, seenAt] of strangers) {
      const incarnation = living.get(name);
      if (incarnation === undefined) {
        this.#living.delete(name);
        this.#gone.set(name, seenAt);
      } else {
        this.#living.set(name, incarnation);
        this.#gone.delete(name);
      }
    }
    return living.size > 0;
  }
}
