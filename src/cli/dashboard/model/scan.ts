/** Keeps the best of many sessions: pure, bounded. */
import type { Session } from '../../../sessions/model.ts';

/** Rows that a walk keeps. */
const MOST_ROWS = 2000;

export class Best {
  readonly #most: number;
  readonly #compare: (a: Session, b: Session) => number;
  #kept = new Map<string, Session>();
  /** The last of those that were kept when there were too many: what comes behind it is counted and forgotten. */
  #worst: Session | undefined;
  #matched = 0;
  #changed = true;

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
      const isKept = this.#kept.has(session.id);
      if (!isKept) this.#matched++;
      if (!isKept && this.#worst && this.#compare(session, this.#worst) > 0) continue;
      this.#kept.set(session.id, session);
      this.#changed = true;
    }
    if (this.#kept.size <= 2 * this.#most) return;
    const best = this.list();
    this.#kept = new Map(best.map((one) => [one.id, one]));
    this.#worst = best.at(-1);
  }

  /** Of those that may be among the best. */
  keptIds(): Iterable<string> {
    return this.#kept.keys();
  }

  /** The best of those that were added, in order. */
  list(most = this.#most): Session[] {
    return [...this.#kept.values()].sort(this.#compare).slice(0, most);
  }

  /** The first of them, when they may be others than the last time; null else. */
  news(most: number): Session[] | null {
    if (!this.#changed) return null;
    this.#changed = false;
    return this.list(most);
  }
}
