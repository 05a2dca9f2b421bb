/** Surveys in the background, for as long as somebody asks: what a frame's counts leave out. */
import type { Frame } from './overview.ts';
import type { Sessions } from './sessions.ts';
import { fromSweep, type Progress, survey } from './survey.ts';

/** Milliseconds between two surveys at least; a long one rests for five times as long as it took. */
const REST = 2000;
const REST_FACTOR = 5;
/** Size of the set of all up to which the first survey is waited for, so that the first counts are right already. */
const WAITED_FOR = 50_000;

/** Live sessions that the indexes of living nodes don't hold, and their users. */
export interface Unindexed {
  sessions: number;
  users: number;
  /** False while the first survey has not come to its end: there may be more. */
  whole: boolean;
}

export class Surveyor {
  readonly #sessions: Sessions;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #dueAt = 0;
  #latest: Progress | undefined;
  #fault: unknown;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /**
   * What the last whole survey found, or how far the first one is; undefined before it has found anything. Begins the
   * next survey when it is due.
   * @throws what the last survey failed with
   */
  look(): Progress | undefined {
    if (this.#fault !== undefined) {
      const fault = this.#fault;
      this.#fault = undefined;
      throw fault;
    }
    if (!this.#running && performance.now() >= this.#dueAt) this.#running = this.#survey();
    return this.#latest;
  }

  /**
   * What must be added to a frame's `own` and `users`: nothing where `own` explains all that is listed.
   * @throws what the last survey failed with
   */
  async unindexed({ own, listed }: Pick<Frame, 'own' | 'listed'>): Promise<Unindexed> {
    if (own === listed) return { sessions: 0, users: 0, whole: true };
    let survey = this.look();
    if (!survey?.done && listed <= WAITED_FOR) {
      await this.#running;
      survey = this.look();
    }
    const { foreign = 0, orphans = 0, foreignUsers = 0, done = false } = survey ?? {};
    return { sessions: foreign + orphans, users: foreignUsers, whole: done };
  }

  /** Ends it. */
  stop(): void {
    this.#stopped.abort();
  }

  async #survey(): Promise<void> {
    const began = performance.now();
    try {
      const kept = await fromSweep(this.#sessions);
      if (kept) this.#latest = kept;
      else {
        for await (const progress of survey(this.#sessions, { signal: this.#stopped.signal })) {
          if (progress.done || !this.#latest?.done) this.#latest = progress;
        }
      }
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#fault = error;
    }
    this.#dueAt = performance.now() + Math.max(REST, REST_FACTOR * (performance.now() - began));
    this.#running = undefined;
  }
}
