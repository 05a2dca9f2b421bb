/** What nodes count, compared from one frame to the next. Pure but for what it remembers. */
import type { NodeLoad } from './known-nodes.ts';
import type { NodeInfo } from './nodes.ts';

/** What happened between two frames, as far as the nodes have told by the second. */
export interface Change {
  /** Sessions that were registered and that ended since the frame before; null in the first one. */
  connects: number | null;
  disconnects: number | null;
  /** MESSAGE frames a second between the last two renewals of each node; null until a node has renewed twice. */
  messages: number | null;
}

/** Two renewals of one process, and what it delivered between them. */
interface Told {
  info: NodeInfo;
  seenAt: number;
  /** Messages a second. */
  messages: number | null;
}

export class Rates {
  #told: Map<string, Told> | undefined;

  /** Takes the nodes of the next frame. */
  next(nodes: readonly NodeLoad[]): Change {
    const before = this.#told;
    this.#told = new Map();
    let [connects, disconnects] = [0, 0];
    const rates: number[] = [];
    for (const { name, info, seenAt } of nodes) {
      const known = before?.get(name);
      if (!info) {
        if (known) this.#told.set(name, known); // its lease may come back
        continue;
      }
      // A process that is new counts from 0, one that was here before from what it said then.
      const last = known?.info.incarnation === info.incarnation ? known : undefined;
      connects += (info.connects ?? 0) - (last?.info.connects ?? 0);
      disconnects += (info.disconnects ?? 0) - (last?.info.disconnects ?? 0);
      const renewed = last !== undefined && seenAt > last.seenAt;
      const delivered = (info.messages_out ?? 0) - (last?.info.messages_out ?? 0);
      const messages = renewed ? (delivered * 1000) / (seenAt - last.seenAt) : (last?.messages ?? null);
      if (messages !== null) rates.push(messages);
      this.#told.set(name, { info, seenAt, messages });
    }
    return {
      connects: before ? connects : null,
      disconnects: before ? disconnects : null,
      messages: rates.length > 0 ? rates.reduce((sum, rate) => sum + rate, 0) : null,
    };
  }
}
