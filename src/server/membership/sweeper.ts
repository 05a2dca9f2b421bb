/**
 * Sweeps, for as long as this process has the right to: one process over all nodes has it. Removes what dead processes
 * left within seconds, and goes over everything else now and then (sessions/sweep/).
 */
import { WssessError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { RENEW_EVERY } from '../../sessions/nodes.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { reapProcess } from '../../sessions/sweep/dead.ts';
import type { Mended } from '../../sessions/sweep/mend.ts';
import { pass } from '../../sessions/sweep/pass.ts';
import { giveBackRight, holdRight } from '../../sessions/sweep/right.ts';
import type { Log } from '../log.ts';

/** Milliseconds between two renewals of the right, or two attempts to get it. */
const HOLD_EVERY = 1000;
/** Milliseconds between looks at which processes died. */
const LOOK_EVERY = 500;
/** Milliseconds for which a lease must be gone: who asks a dead node for something is told so first. */
const DEAD_FOR = 1000;
/**
 * Milliseconds before anything is reaped by who has just got the right: it may have been without because Redis took no
 * writes, and so were the leases of all who live. Each of them renews within RENEW_EVERY.
 */
const LEARNING = RENEW_EVERY + DEAD_FOR;
/** Milliseconds before the first pass. */
const FIRST_PASS = 5000;
/** Milliseconds between two passes: after a long one as long as it took, within these. */
const REST = 30_000;
const LONGEST_REST = 60_000;

/** Milliseconds that the end waits for what is under way. */
const PATIENCE = 500;

export interface Sweeping {
  sessions: Sessions;
  incarnation: string;
  log: Log;
  fault(error: unknown): void;
}

export class Sweeper {
  readonly #sweeping: Sweeping;
  readonly #stopped = new AbortController();
  #holding: Promise<void> = Promise.resolve();
  /** What is under way while this process has the right. */
  #work: { end: AbortController; done: Promise<unknown> } | undefined;

  constructor(sweeping: Sweeping) {
    this.#sweeping = sweeping;
  }

  start(): void {
    this.#holding = this.#hold();
  }

  /** Ends, and lets another process sweep. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#holding;
    // What is under way harms nobody: an owner that is asked for something may let it wait.
    await Promise.race([this.#rest(), pause(PATIENCE)]);
    await giveBackRight(this.#sweeping.incarnation, this.#sweeping.sessions);
  }

  async #hold(): Promise<void> {
    const { sessions, incarnation } = this.#sweeping;
    while (!this.#stopped.signal.aborted) {
      const holds = await holdRight(incarnation, sessions).catch((error: unknown) => {
        this.#fault(error);
        return false;
      });
      if (holds) this.#begin();
      else await this.#rest();
      await pause(HOLD_EVERY, this.#stopped.signal);
    }
  }

  #begin(): void {
    if (this.#work) return;
    const end = new AbortController();
    this.#work = { end, done: Promise.all([this.#reapDead(end.signal), this.#passes(end.signal)]) };
  }

  async #rest(): Promise<void> {
    const work = this.#work;
    this.#work = undefined;
    work?.end.abort();
    await work?.done;
  }

  async #reapDead(signal: AbortSignal): Promise<void> {
    const { sessions, log, incarnation: own } = this.#sweeping;
    const deadSince = new Map<string, number>();
    const begun = performance.now();
    await this.#repeat(signal, LOOK_EVERY, async () => {
      // This process lives, also while its lease is gone until it renews it.
      const processes = await sessions.nodes.processes();
      const dead = processes.filter(({ alive, incarnation }) => !alive && incarnation !== own);
      const now = performance.now();
      const names = new Set(dead.map(({ incarnation }) => incarnation));
      for (const known of deadSince.keys()) if (!names.has(known)) deadSince.delete(known);
      for (const process of dead) {
        const since = deadSince.get(process.incarnation) ?? now;
        deadSince.set(process.incarnation, since);
        if (now - since < DEAD_FOR || now - begun < LEARNING) continue;
        const removed = await reapProcess(process, sessions, signal);
        if (removed > 0) log.info(`node ${process.name} is gone: removed its ${counted(removed, 'session')}`);
      }
    });
  }

  async #passes(signal: AbortSignal): Promise<void> {
    const { sessions, log } = this.#sweeping;
    let met: ReadonlySet<string> = new Set();
    let rest = REST;
    await pause(FIRST_PASS, signal);
    await this.#repeat(
      signal,
      () => rest,
      async () => {
        const began = performance.now();
        const swept = await pass(sessions, { signal, met });
        met = swept.met;
        rest = Math.min(LONGEST_REST, Math.max(REST, performance.now() - began));
        const told = summary(swept);
        if (told) log.info(`swept: ${told}`);
      },
    );
  }

  /** Until the signal; what fails is told, and tried again. */
  async #repeat(signal: AbortSignal, every: number | (() => number), act: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await act();
      } catch (error) {
        if (!signal.aborted) this.#fault(error);
      }
      await pause(typeof every === 'number' ? every : every(), signal);
    }
  }

  /** The lease tells of a Redis that is away. */
  #fault(error: unknown): void {
    if (error instanceof WssessError && error.code === 'redis_unreachable') return;
    this.#sweeping.fault(error);
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `removed 3 sessions of dead nodes, 12 expired ids; wrote 1 session again`; '' when there was nothing to mend. */
function summary({ ghosts, expired, entries, restored, relisted }: Mended): string {
  const removed = [
    ghosts > 0 ? counted(ghosts, 'session without a socket', 'sessions without a socket') : '',
    expired > 0 ? counted(expired, 'expired id') : '',
    entries > 0 ? counted(entries, 'index entry', 'index entries') : '',
  ].filter(Boolean);
  const written = restored > 0 ? [`wrote ${counted(restored, 'session')} again`] : [];
  const listed = relisted > 0 ? [`listed ${counted(relisted, 'foreign session')} again`] : [];
  return [...(removed.length > 0 ? [`removed ${removed.join(', ')}`] : []), ...written, ...listed].join('; ');
}
