/** Walks for what a filter or a sort asks, as long as it is asked. */

import { pause } from '../../../../common/pause.ts';
import type { Session } from '../../../../sessions/model.ts';
import { orderOf } from '../order.ts';
import { isScanned, type Question, questionKey, questionOf } from '../questions.ts';
import { lineOf } from '../reduce/frames.ts';
import { Best } from '../scan.ts';
import type { Said, State } from '../state.ts';
import { Bell } from './bell.ts';
import { type Context, expected } from './context.ts';
import { Asker } from './facts.ts';
import { pages, sessionsOf } from './pages.ts';

/** Milliseconds between what is told of a walk. */
const TELL_EVERY = 250;
/** Rows that are shown before the end: more would be made anew again and again. */
const MOST_PARTIAL = 200;
/** A walk that has ended is repeated after this, and not before so many times what it took. */
const REPEAT = 2000;
const REPEAT_TIMES = 5;
/** Milliseconds until it is tried again after Redis failed. */
const RETRY = 1000;

/** The question that is to be walked for, null when none is on the screen. */
const wanted = (state: State): string | null => (isScanned(state) ? questionKey(state) : null);

/** A walk for each question, given up when another one is asked. Until `signal`. */
export async function scan(context: Context): Promise<void> {
  const { store, signal, quiet } = context;
  const bell = new Bell(signal);
  let running: { question: string; end: AbortController } | undefined;
  const unsubscribe = store.subscribe((state) => {
    const question = wanted(state);
    if (running?.question === question || (!running && question === null)) return;
    running?.end.abort();
    bell.ring();
  });
  const giveUp = () => running?.end.abort();
  signal.addEventListener('abort', giveUp);
  try {
    while (!signal.aborted) {
      const question = wanted(store.get());
      if (question === null) {
        running = undefined;
        await bell.wait();
        continue;
      }
      const end = new AbortController();
      running = { question, end };
      await quiet(end.signal);
      const began = performance.now();
      const fault = await walk(context, question, end.signal).catch(expected);
      // Another question, or none: it is read again at once.
      if (end.signal.aborted) continue;
      if (fault) tellFault(store, fault.message);
      const took = performance.now() - began;
      await pause(fault ? RETRY : Math.max(REPEAT, REPEAT_TIMES * took), end.signal);
      running = undefined;
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
    unsubscribe();
  }
}

/** Once, and not where the frames tell it already. */
function tellFault(store: Context['store'], why: string): void {
  const text = `not all sessions were looked through: ${why}. It is tried again`;
  const { link, note } = store.get();
  if (link.state !== 'stale' && note?.text !== text) store.dispatch({ type: 'note', text, tone: 'bad' });
}

/** One walk. What it finds is shown as it grows the first time, and at its end when it is repeated. */
async function walk(context: Context, question: string, signal: AbortSignal): Promise<void> {
  const { store, sessions } = context;
  if (signal.aborted) return;
  const state = store.get();
  const asked = questionOf(state);
  const repeated = state.scan?.question === question && state.scan.whole;
  const listed = state.counts?.listed ?? 0;
  const finding = new Finding(asked, asked.sort.by === 'idle' ? new Asker(sessions) : undefined);
  let scanned = 0;
  let toldAt = 0;
  const tell = (ended: boolean) => {
    if (signal.aborted) return;
    toldAt = performance.now();
    const at = Date.now();
    const found = ended ? finding.list() : repeated ? null : finding.news();
    store.dispatch({
      type: 'scan',
      at,
      question,
      scanned,
      listed: Math.max(listed, scanned),
      matched: repeated && !ended ? (store.get().scan?.matched ?? 0) : finding.matched,
      running: !ended,
      ended,
      lines: found?.map((session, rank) => lineOf(session.id, session, rank, at)) ?? null,
      said: found ? finding.saidOf(found) : new Map(),
    });
  };
  if (asked.filter.user !== null) {
    await finding.add(await sessionsOf(sessions, asked.filter.user));
    scanned = listed;
    return tell(true);
  }
  for (const word of asked.filter.exact) {
    await finding.add((await sessions.directory.getAll([word])).sessions);
    await finding.add(await sessionsOf(sessions, word));
  }
  if (finding.matched > 0) tell(false);
  for await (const page of pages(sessions, context.quiet, signal)) {
    scanned += page.scanned;
    await finding.add(page.sessions);
    if (performance.now() - toldAt >= TELL_EVERY) tell(false);
  }
  tell(true);
}

/** What a walk has found so far. */
class Finding {
  readonly #question: Question;
  readonly #asker: Asker | undefined;
  readonly #best: Best;
  readonly #said = new Map<string, Said>();

  /** @param asker when the order needs what only nodes know */
  constructor(question: Question, asker: Asker | undefined) {
    this.#question = question;
    this.#asker = asker;
    this.#best = new Best(orderOf(question.sort, this.#said));
  }

  get matched(): number {
    return this.#best.matched;
  }

  async add(sessions: readonly Session[]): Promise<void> {
    const fitting = sessions.filter(this.#question.filter.fits);
    if (this.#asker) for (const [id, said] of await this.#asker.ask(fitting)) this.#said.set(id, said);
    this.#best.add(fitting);
    if (this.#said.size > MOST_SAID) this.#forget();
  }

  list(): Session[] {
    return this.#best.list();
  }

  /** Some to look at while it goes on: null when they are those of the last time. */
  news(): Session[] | null {
    return this.#best.news(MOST_PARTIAL);
  }

  saidOf(sessions: readonly Session[]): ReadonlyMap<string, Said> {
    return new Map(sessions.flatMap(({ id }) => (this.#said.has(id) ? [[id, this.#said.get(id)!]] : [])));
  }

  /** What was said of sessions that aren't kept. */
  #forget(): void {
    const kept = new Set(this.#best.keptIds());
    for (const id of this.#said.keys()) if (!kept.has(id)) this.#said.delete(id);
  }
}

/** More than Best ever keeps, so that forgetting is rare. */
const MOST_SAID = 10_000;
