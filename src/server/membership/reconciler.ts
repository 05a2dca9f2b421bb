/**
 * Makes Redis agree with this process again: what Redis lost, or didn't take, is written again, and what it still holds of
 * sessions that have no socket any more is removed. Whoever has lost something says so here; one pass at a time works it
 * off, a page after the other, and one that is asked for meanwhile follows. While Redis is away nothing is tried, and no
 * more is kept than which of the living sessions are behind.
 */

/** Sessions that are written at a time. */
const PAGE = 100;
/** Milliseconds until what Redis didn't take is tried again, and half of it more, so that nodes don't come together. */
const RETRY = 500;
/**
 * Milliseconds until ghosts are looked for once more: what was sent over the connection that was lost may be acted on by
 * Redis after what came over the new one.
 */
const SETTLE = 5000;

/** A session of this process. */
export interface Restorable {
  /** Writes it again. @returns false when Redis didn't take it */
  restore(): Promise<boolean>;
}

interface Work {
  /** Redis can be asked. */
  ready(): boolean;
  /** Removes what Redis holds of this process and what has no socket. @returns false when Redis didn't take it */
  removeGhosts(): Promise<boolean>;
}

export class Reconciler {
  readonly #work: Work;
  readonly #behind = new Set<Restorable>();
  #ghosts = false;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(work: Work) {
    this.#work = work;
  }

  /** True when nothing is left to do. */
  get agrees(): boolean {
    return !this.#running && !this.#isBehind;
  }

  get #isBehind(): boolean {
    return this.#behind.size > 0 || this.#ghosts;
  }

  /**
   * Redis may have lost anything: all sessions of this process are written again, and ghosts are looked for. Begins at once.
   * @param sessions in the order in which they came: who was there before counts before who came while Redis was away
   */
  everything(sessions: Iterable<Restorable>): void {
    this.#behind.clear();
    for (const session of sessions) this.#behind.add(session);
    this.#ghosts = true;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.ghosts(), SETTLE).unref();
    this.#start();
  }

  /** A write of this session failed. */
  behind(session: Restorable): void {
    this.#behind.add(session);
    this.#later();
  }

  /** A session has ended: there is nothing to write any more. */
  forget(session: Restorable): void {
    this.#behind.delete(session);
  }

  /** Redis may hold a session that has no socket any more. */
  ghosts(): void {
    this.#ghosts = true;
    this.#later();
  }

  /** Looks for ghosts a last time, if there may be some. @returns false when they stay */
  async end(): Promise<boolean> {
    this.#ended = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#settle);
    await this.#running;
    return !this.#ghosts || (this.#work.ready() && (await this.#look()));
  }

  #start(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#ended || this.#running || !this.#work.ready()) return;
    this.#running = this.#pass().finally(() => {
      this.#running = undefined;
      if (this.#isBehind) this.#later();
    });
  }

  #later(): void {
    // Without a connection there is nothing to try; when it is there again, everything is.
    if (this.#ended || this.#running || this.#retry || !this.#work.ready()) return;
    this.#retry = setTimeout(() => this.#start(), RETRY * (1 + Math.random() / 2)).unref();
  }

  /** Until all is done, or Redis doesn't take something. */
  async #pass(): Promise<void> {
    while (!this.#ended && this.#isBehind) {
      if (!(await (this.#behind.size > 0 ? this.#write() : this.#look()))) return;
    }
  }

  /** @returns false when Redis didn't take all of the page */
  async #write(): Promise<boolean> {
    const page = [...take(this.#behind, PAGE)];
    for (const session of page) this.#behind.delete(session);
    const done = await Promise.all(page.map((session) => session.restore()));
    for (const [i, session] of page.entries()) if (!done[i]) this.#behind.add(session);
    return !done.includes(false);
  }

  async #look(): Promise<boolean> {
    this.#ghosts = false;
    const done = await this.#work.removeGhosts();
    if (!done) this.#ghosts = true;
    return done;
  }
}

function* take<T>(all: Iterable<T>, most: number): Generator<T> {
  let left = most;
  for (const one of all) {
    if (left-- <= 0) return;
    yield one;
  }
}
