/**
 * Asks a node for something and waits for its answer. docs/control.md describes what goes over Redis.
 *
 * The request is a key with a short life. PUBLISH only wakes the node, which claims the key (GETDEL) before it acts
 * and answers on a list. A caller that waited in vain deletes the key: if it was still there, nothing was done and
 * nothing ever will be.
 */
import { WssessError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import type { Store } from '../store/store.ts';
import type { Keys } from './keys.ts';
import { answer as answerScript, request as requestScript } from './scripts.gen.ts';

/** Version of the messages. */
const VERSION = 1;
/** Milliseconds that a request outlives its caller's patience: the caller deletes it, not time. */
const REQUEST_GRACE = 5000;
/** Milliseconds that a caller waits once more when the node has claimed the request but not answered. */
const CLAIMED_GRACE = 2000;
/** Milliseconds between looks at whether the process that is asked still lives. */
const LOOK_EVERY = 500;
/** Milliseconds that an answer waits for its caller. */
const ANSWER_TTL = 30_000;

/** What a node can be asked. */
export interface Requests {
  kick: {
    asks: { sessions: string[]; action_id: string; reason: string | null };
    answers: { session_id: string; outcome: 'kicked' | 'already_gone' }[];
  };
  describe: {
    asks: { sessions: string[] };
    answers: {
      session_id: string;
      idle_ms: number;
      subscriptions: number;
      destinations: string[];
      recv_cnt: number;
      send_cnt: number;
      recv_oct: number;
      send_oct: number;
    }[];
  };
  restore: {
    asks: { sessions: string[] };
    answers: { session_id: string; outcome: RestoreOutcome }[];
  };
  list: {
    /** Ids that come after this one, by code unit; '' begins. */
    asks: { after: string; limit: number };
    answers: { session_id: string; user: string }[];
  };
  drain: {
    asks: DrainAsks;
    /** One. */
    answers: DrainState[];
  };
}
export interface DrainAsks {
  /** Sessions a second at most; null: as fast as can be. */
  rate: number | null;
  /** Told to the clients; at most 1,024 bytes. */
  reason: string | null;
  /** Take connections again. */
  undo: boolean;
}
export interface DrainState {
  draining: boolean;
  /** It has been told to end, which can't be undone. */
  stopping: boolean;
  /** Sessions that it had when it was asked. */
  sessions: number;
}
/**
 * `restored`: Redis has all of it again; `unknown`: this process has no such session; `kept`: it has, and will write or
 * remove it by itself.
 */
export type RestoreOutcome = 'restored' | 'unknown' | 'kept';
export type Operation = keyof Requests;

/**
 * How asking ended: answered; `timeout`: certainly not done; `gone`: the same, since the process died meanwhile;
 * `unknown`: claimed, but never answered.
 */
export type Asked<Op extends Operation> =
  | { outcome: 'answered'; results: Requests[Op]['answers'] }
  | { outcome: 'timeout' | 'gone' | 'unknown' };

/** How a node does what it is asked. */
type Handler<Op extends Operation> = (asks: Requests[Op]['asks']) => Promise<Requests[Op]['answers']>;
export interface Handlers {
  kick: Handler<'kick'>;
  describe: Handler<'describe'>;
  /** A node without it, as an older one, writes again what was lost when it renews. */
  restore?: Handler<'restore'>;
  list?: Handler<'list'>;
  drain?: Handler<'drain'>;
}

export class Control {
  readonly #store: Store;
  readonly #keys: Keys;

  constructor(store: Store, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
  }

  /**
   * Asks the process of an incarnation.
   * @param timeout milliseconds
   * @param isAlive tells whether that process still holds its lease; when it doesn't, waiting is over
   * @throws WssessError when Redis fails before the request was written
   */
  async ask<Op extends Operation>(
    incarnation: string,
    op: Op,
    asks: Requests[Op]['asks'],
    timeout: number,
    isAlive: () => Promise<boolean> = async () => true,
  ): Promise<Asked<Op>> {
    const id = newId();
    const request = JSON.stringify({ v: VERSION, id, op, incarnation, ...asks });
    let written = false;
    const reachable = this.#store.ready;
    try {
      await this.#store.run(requestScript, [this.#keys.request(id)], [request, Math.ceil(timeout) + REQUEST_GRACE]);
      written = true;
      await this.#store.call('PUBLISH', this.#keys.wake(incarnation), id);
      const end = performance.now() + timeout;
      let answer: string | undefined;
      let alive = true;
      while (answer === undefined && alive && performance.now() < end) {
        answer = await this.#store.pop(this.#keys.answer(id), Math.min(LOOK_EVERY, end - performance.now()));
        if (answer !== undefined) break;
        alive = await isAlive();
        // Woken again, in case the node wasn't listening: it claims a request once, however often it is woken.
        if (alive) await this.#store.call('PUBLISH', this.#keys.wake(incarnation), id);
      }
      if (answer === undefined) {
        const takenBack = await this.#store.call<number>('DEL', this.#keys.request(id));
        if (takenBack === 1) return { outcome: alive ? 'timeout' : 'gone' };
        answer = await this.#store.pop(this.#keys.answer(id), CLAIMED_GRACE);
      }
      const results = answer === undefined ? undefined : parseAnswer<Op>(answer);
      return results ? { outcome: 'answered', results } : { outcome: 'unknown' };
    } catch (error) {
      // It was written, or may have been when Redis was lost: whether the node claims it can't be known.
      if (!(error instanceof WssessError)) throw error;
      if (written || (reachable && error.code === 'redis_unreachable')) return { outcome: 'unknown' };
      throw error;
    }
  }

  /**
   * Answers requests to the process of this incarnation.
   * @param onFault told of what went wrong with one request; the next are answered all the same
   * @returns ends the listening
   */
  async listen(incarnation: string, handlers: Handlers, onFault: (error: unknown) => void): Promise<() => void> {
    return this.#store.subscribe([this.#keys.wake(incarnation)], (_, id) => {
      this.#answer(id, handlers).catch(onFault);
    });
  }

  async #answer(id: string, handlers: Handlers): Promise<void> {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) return;
    const claimed = await this.#store.call<string | null>('GETDEL', this.#keys.request(id));
    if (claimed === null) return; // taken back, or run out
    const answer = await handle(claimed, handlers);
    await this.#store.run(
      answerScript,
      [this.#keys.answer(id)],
      [JSON.stringify({ v: VERSION, ...answer }), ANSWER_TTL],
    );
  }
}

async function handle(claimed: string, handlers: Handlers): Promise<object> {
  const refuse = (message: string) => ({ error: { code: 'bad_request', message } });
  let request: Record<string, unknown>;
  try {
    request = JSON.parse(claimed) as Record<string, unknown>;
  } catch {
    return refuse('the request is not JSON');
  }
  const { v, op, sessions } = request ?? {};
  if (v !== VERSION) return refuse(`this node speaks version ${VERSION}`);
  const { kick, describe, restore, list, drain } = handlers;
  if (op === 'list' && list) return listed(request, list, refuse);
  if (op === 'drain' && drain) return drained(request, drain, refuse);
  const plain = op === 'describe' ? describe : op === 'restore' ? restore : undefined;
  if (!plain && op !== 'kick') return refuse(`this node knows ${Object.keys(handlers).join(', ')}`);
  if (
    !Array.isArray(sessions) ||
    sessions.length > MOST_SESSIONS ||
    !sessions.every((one) => typeof one === 'string')
  ) {
    return refuse(`sessions is a list of at most ${MOST_SESSIONS} ids`);
  }
  if (plain) return { results: await plain({ sessions }) };
  const { reason = null, action_id } = request;
  if (typeof action_id !== 'string' || action_id.length > 64)
    return refuse('action_id is a text of at most 64 characters');
  if (!isReason(reason)) return refuse(NO_REASON);
  return { results: await kick({ sessions, action_id, reason }) };
}

type Refuse = (message: string) => object;

async function listed({ after = '', limit }: Record<string, unknown>, list: Handler<'list'>, refuse: Refuse) {
  const isCount = Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MOST_SESSIONS;
  if (!isCount || typeof after !== 'string')
    return refuse(`after is an id, limit a whole number from 1 to ${MOST_SESSIONS}`);
  return { results: await list({ after, limit: Number(limit) }) };
}

async function drained(request: Record<string, unknown>, drain: Handler<'drain'>, refuse: Refuse) {
  const { rate = null, reason = null, undo = false } = request;
  if (rate !== null && !(typeof rate === 'number' && rate > 0 && rate <= MOST_RATE))
    return refuse(`rate is a number above 0 and at most ${MOST_RATE}, or null`);
  if (!isReason(reason)) return refuse(NO_REASON);
  if (typeof undo !== 'boolean') return refuse('undo is true or false');
  return { results: await drain({ rate, reason, undo }) };
}

const isReason = (reason: unknown): reason is string | null =>
  reason === null || (typeof reason === 'string' && Buffer.byteLength(reason) <= MAX_REASON);

/** Sessions that one request may name. */
export const MOST_SESSIONS = 500;
/** Bytes of UTF-8 that the reason of a kick or a drain may have. */
export const MAX_REASON = 1024;
const NO_REASON = `reason is a text of at most ${MAX_REASON} bytes`;
/** Sessions a second: more is no pace. */
const MOST_RATE = 1_000_000;

function parseAnswer<Op extends Operation>(answer: string): Requests[Op]['answers'] | undefined {
  try {
    const { v, results } = JSON.parse(answer) as { v: number; results?: unknown };
    return v === VERSION && Array.isArray(results) ? (results as Requests[Op]['answers']) : undefined;
  } catch {
    return undefined;
  }
}
