/** Asks the nodes for what only they know of the sessions in sight. */
import { WssessError } from '../../../../common/errors.ts';
import { pause } from '../../../../common/pause.ts';
import { Control } from '../../../../sessions/control.ts';
import { askLive } from '../../../../sessions/live.ts';
import type { Session } from '../../../../sessions/model.ts';
import type { Sessions } from '../../../../sessions/sessions.ts';
import { sessionsInSight } from '../questions.ts';
import type { Said, State } from '../state.ts';
import { Bell } from './bell.ts';
import { type Context, expected } from './context.ts';

/** Milliseconds between questions. */
const ASK_EVERY = 2000;
/** Milliseconds at least between questions, however fast rows come into sight. */
const ASK_AGAIN = 700;
/** Milliseconds that a node which didn't answer is left alone: the others' answers would wait for it. */
const LEFT_ALONE = 10_000;
/** Milliseconds until it is tried again where Redis takes no requests. */
const DENIED_EVERY = 60_000;

/** Asks again and again until `signal`; at once for rows that came into sight. */
export async function learn({ store, sessions, signal, quiet }: Context): Promise<void> {
  const bell = new Bell(signal);
  const asker = new Asker(sessions);
  /** Ids that were asked for last: they aren't new to the screen, answered or not. */
  let known = new Set<string>();
  const end = store.subscribe((state, action) => {
    if (state.asked.denied || (action.type !== 'frame' && action.type !== 'scan' && action.type !== 'open')) return;
    if (owned(state).some(({ id }) => !known.has(id) && !state.asked.said.has(id))) bell.ring();
  });
  try {
    while (!signal.aborted) {
      await quiet(signal);
      const state = store.get();
      const targets = state.link.state === 'live' || state.link.state === 'slow' ? owned(state) : [];
      if (targets.length > 0 && !signal.aborted) {
        known = new Set(targets.map(({ id }) => id));
        const said = await asker.ask(targets).catch(expected);
        if (signal.aborted) return;
        if (said instanceof Map) {
          store.dispatch({ type: 'said', at: Date.now(), said, silent: asker.silent, denied: asker.denied });
        }
        await pause(ASK_AGAIN, signal);
      }
      await bell.wait((asker.denied ? DENIED_EVERY : ASK_EVERY) - ASK_AGAIN);
    }
  } finally {
    end();
  }
}

const owned = (state: State): Session[] => sessionsInSight(state).filter(({ details }) => details !== null);

/** Asks nodes, and remembers who didn't answer. */
export class Asker {
  readonly #sessions: Sessions;
  readonly #control: NotingControl;
  /** Until when a node is left alone. */
  readonly #until = new Map<string, number>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.#control = new NotingControl(sessions.store, sessions.keys);
  }

  /** Redis took no request of the last question. */
  get denied(): boolean {
    return this.#control.denied;
  }

  /** Nodes that live and didn't answer. */
  get silent(): string[] {
    return [...this.#until.keys()].sort();
  }

  /** @throws WssessError when Redis fails */
  async ask(sessions: readonly Session[]): Promise<Map<string, Said>> {
    const now = Date.now();
    for (const [node, until] of this.#until) if (until <= now) this.#until.delete(node);
    const askable = sessions.filter(({ details }) => details && !this.#until.has(details.node));
    if (askable.length === 0) return new Map();
    this.#control.denied = false;
    const { facts, silent } = await askLive(askable, { nodes: this.#sessions.nodes, control: this.#control });
    const at = Date.now();
    if (!this.denied) for (const node of silent) this.#until.set(node, at + LEFT_ALONE);
    return new Map([...facts].map(([id, live]) => [id, { live, at }]));
  }
}

/** Notes that Redis takes no requests: to whoever asks, that looks like nodes that don't answer. */
class NotingControl extends Control {
  denied = false;

  override async ask(...asked: Parameters<Control['ask']>): ReturnType<Control['ask']> {
    try {
      return await super.ask(...asked);
    } catch (error) {
      if (error instanceof WssessError && ['redis_refused', 'redis_denied'].includes(error.code)) this.denied = true;
      throw error;
    }
  }
}
