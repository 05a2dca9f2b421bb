/** Keeps the best of many sessions: pure, bounded. */
import type { Session } from '../../../sessions/model.ts';

/** Rows that a walk keeps. */
const MOST_ROWS = 2000;

export class Best {
  readonly #most: number;
  readonly #compare: (a: Session, b: Session) => number;
  #kept = new Map<string, Session>();
  #matched = 0;

  /** @param compare orders the best first */
  constructor(compare: (a: Session, b: Session) => number, most = MOST_ROWS) {
    this.#compare = compare;
    this.#most = most;
  }

  /** How many were added, each once as far as it is kept. */
  get matched(): number {
    return this.#matched;
  }

  add(sessions: readonly Session[]): void {
    for (const session of sessions) {
      if (!this.#kept.has(session.id)) this.#matched++;
      this.#kept.set(session.id, session);
    }
    if (this.#kept.size > 2 * this.#most) this.#kept = new Map(this.list().map((one) => [one.id, one]));
  }

  /** Of those that may be among the best. */
  keptIds(): Iterable<string> {
    return this.#kept.keys();
  }

  /** The best of those that were added, in order. */
  list(): Session[] {
    return [...this.#kept.values()].sort(this.#compare).slice(0, this.#most);
  }
}
