/** What nodes have in memory, compared with what Redis says of them. Reads only, but for its requests. */
import { WssessError } from '../../common/errors.ts';
import type { Asked, Operation, Requests } from '../control.ts';
import type { Process } from '../nodes.ts';
import type { Sessions } from '../sessions.ts';
import type { Examiner } from '../sweep/examine.ts';
import type { Found } from './fault.ts';
import { lookAtIds, ofFinding } from './ids.ts';

/** Milliseconds for a node to answer. */
const TIMEOUT = 2000;
/** Sessions that a node lists at a time. */
const PAGE = 100;

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes' | 'control'>;

export class Memory {
  readonly #floor: Floor;
  readonly #examiner: Examiner;
  /** Names of nodes that live and didn't answer: they are asked no more. */
  readonly missing = new Set<string>();

  constructor(floor: Floor, examiner: Examiner) {
    this.#floor = floor;
    this.#examiner = examiner;
  }

  /** Sessions of which Redis says that the process has them, and for which it has no socket. */
  async lookAtHeld(process: Process, ids: readonly string[]): Promise<Found[]> {
    const held = await this.#heldOf(process, ids);
    if (!held) return [];
    const { traces } = await this.#floor.directory.inspect(ids.filter((id) => !held.has(id)));
    return traces.flatMap(({ id, user, details, packed }) => {
      if (user === null || details?.incarnation !== process.incarnation) return [];
      const gone = { id, user, details, packed, index: process };
      return [ofFinding({ fault: 'ghost', act: 'restore', owner: process, gone }, this.#floor)];
    });
  }

  /** Sessions that the process has, and of which Redis doesn't say so. */
  async lookAtClaimed(process: Process, ids: readonly string[]): Promise<Found[]> {
    const { traces } = await this.#floor.directory.inspect(ids);
    const found = traces.flatMap(({ id, user, details, packed }) => {
      if (details) return [];
      const gone = { id, user: user ?? '', details, packed, index: process };
      const fault = user === null ? 'unlisted' : 'missing_index';
      return [ofFinding({ fault, act: 'restore', owner: process, gone }, this.#floor)];
    });
    const rest = traces.filter(({ details }) => details?.incarnation === process.incarnation).map(({ id }) => id);
    found.push(...(await lookAtIds(rest, this.#floor, this.#examiner)).found);
    if (found.length === 0) return found;
    // What has ended since it was listed is no fault.
    const held = await this.#heldOf(process, ids);
    return held ? found.filter(({ member }) => held.has(member)) : [];
  }

  /** Ids of its sessions, page by page, in order; ends where it doesn't answer. */
  async *list(process: Process): AsyncGenerator<string[]> {
    let after = '';
    for (;;) {
      const listed = await this.#ask(process, 'list', { after, limit: PAGE });
      const ids = (listed ?? []).map(({ session_id }) => session_id).filter((id) => id > after);
      if (ids.length > 0) yield ids;
      if (ids.length < PAGE) return;
      after = ids.at(-1)!;
    }
  }

  async #heldOf(process: Process, ids: readonly string[]): Promise<Set<string> | undefined> {
    const described = await this.#ask(process, 'describe', { sessions: [...ids] });
    return described && new Set(described.map(({ session_id }) => session_id));
  }

  /** undefined where it doesn't answer: it is missing then, if it lives. */
  async #ask<Op extends Operation>(
    { name, incarnation }: Process,
    op: Op,
    asks: Requests[Op]['asks'],
  ): Promise<Requests[Op]['answers'] | undefined> {
    if (this.missing.has(name)) return undefined;
    const { control, nodes } = this.#floor;
    const isAlive = async () => (await nodes.living([name])).get(name) === incarnation;
    const asked = await control.ask(incarnation, op, asks, TIMEOUT, isAlive).catch(refused<Op>);
    if (asked?.outcome === 'answered') return asked.results;
    if (asked?.outcome !== 'gone') this.missing.add(name);
    return undefined;
  }
}

/** A Redis that takes no request (full, read-only, no right to write) has still answered what was read. */
function refused<Op extends Operation>(error: unknown): Asked<Op> | undefined {
  if (error instanceof WssessError && ['redis_refused', 'redis_denied'].includes(error.code)) return undefined;
  throw error;
}
