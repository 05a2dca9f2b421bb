/**
 * What is wrong with ids that the sets and indexes hold: compares them with the session keys, the details and the
 * leases, and says what mends it (mend.ts). Reads only.
 */
import { millisecondsOf } from '../clock.ts';
import type { Trace } from '../directory.ts';
import { isOfAnother, type Session } from '../model.ts';
import type { Process } from '../nodes.ts';
import type { Gone } from '../registry.ts';
import type { Sessions } from '../sessions.ts';

/**
 * `ghost`: a session whose owner is gone · `expired_id`: an id in a set whose session key is gone · `unlisted`: a session
 * that the set of all doesn't hold · `missing_index`: one that another set or index doesn't hold, or that lost its role
 * or details · `orphan_index`: an entry of an index that is no session, or not one that belongs there.
 */
export type Fault = 'ghost' | 'expired_id' | 'unlisted' | 'missing_index' | 'orphan_index';

export type Finding = { fault: Fault; gone: Gone } & (
  | {
      /**
       * Remove it, or, where it is another's by now, what its owner left: nobody owns it. Not at once: where no details say
       * that a node wrote it, another program may be writing it at this moment, key by key; and a node whose lease ended may
       * come back.
       */
      act: 'reap';
    }
  | {
      /** Ask the owner to write it again; what the owner doesn't know is removed. */
      act: 'restore';
      owner: Process;
    }
  | {
      /** Put it into the sets: no node wrote it. Not at once either: its program may be writing, or removing, it. */
      act: 'relist';
    }
  | {
      /** Take it out of this index. */
      act: 'unindex';
      index: string;
    }
);

export interface Examined {
  findings: Finding[];
  /** Live sessions: those that no node wrote, and all. */
  foreign: Session[];
  live: Session[];
  /** Entries that can't be shown. */
  skipped: number;
  /** Redis's clock, milliseconds since 1970. */
  now: number;
}

/** Milliseconds past its end in which the owner of a session is left alone with it. */
const OWNER_GRACE = 5000;
/** Milliseconds for which the list of processes is taken to be current. */
const CURRENT = 500;

export class Examiner {
  readonly #sessions: Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes'>;
  #processes: readonly Process[] = [];
  #currentUntil = Number.NEGATIVE_INFINITY;

  constructor(sessions: Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes'>) {
    this.#sessions = sessions;
  }

  /** The processes that hold their lease. */
  async processes(): Promise<readonly Process[]> {
    if (performance.now() >= this.#currentUntil) {
      this.#processes = (await this.#sessions.nodes.processes()).filter(({ alive }) => alive);
      this.#currentUntil = performance.now() + CURRENT;
    }
    return this.#processes;
  }

  /** @param ids at most some 100 */
  async examine(ids: readonly string[]): Promise<Examined> {
    const { traces, skipped } = await this.#sessions.directory.inspect(ids);
    const places = await this.#placesOf(traces);
    const findings: Finding[] = [];
    const foreign: Session[] = [];
    for (const trace of traces) {
      const place = places.of(trace);
      const finding = judge(trace, place, places.now);
      if (finding) findings.push(finding);
      else if (isLive(trace) && !place.owner && trace.details === null) {
        foreign.push(trace);
        const lost = place.isListed ? (place.isInSet ? undefined : 'missing_index') : 'unlisted';
        if (lost) findings.push({ fault: lost, act: 'relist', gone: goneOf(trace) });
        // Foreign sessions have no connect time.
        if (place.isNewest)
          findings.push({
            fault: 'orphan_index',
            act: 'unindex',
            index: this.#sessions.keys.newest,
            gone: goneOf(trace),
          });
      }
    }
    return { findings, foreign, live: traces.filter(isLive), skipped, now: places.now };
  }

  /** Where the sets and indexes hold them, in one round trip after those that name the living processes. */
  async #placesOf(traces: readonly Trace[]): Promise<{ of(trace: Trace): Place; now: number }> {
    const { store, keys, nodes } = this.#sessions;
    const living = await nodes.living(traces.flatMap(({ details }) => (details ? [details.node] : [])));
    const named = (trace: Trace): Process | undefined => {
      const { node: name, incarnation } = trace.details ?? { node: '', incarnation: '' };
      return living.get(name) === incarnation ? { name, incarnation } : undefined;
    };
    const isPlain = ({ details }: Trace) => details === null;
    // Details that were deleted by hand: the index of the owner still names it.
    const candidates = traces.some(isPlain) ? await this.processes() : [];
    const owners = new Map(
      [...candidates, ...traces.flatMap((trace) => named(trace) ?? [])].map((one) => [one.incarnation, one]),
    );
    const ids = traces.map(({ id }) => id);
    const indexes = [...owners.keys()];
    const users = traces.map(({ user }) => user ?? '');
    const [time, listed, newest, known, ...rest] = await store.batch<(string | number | null)[]>([
      ['TIME'],
      ...(ids.length > 0
        ? ([
            ['SMISMEMBER', keys.all, ...ids],
            ['ZMSCORE', keys.newest, ...ids],
            ['ZMSCORE', keys.users, ...users],
            ...indexes.map((incarnation) => ['ZMSCORE', keys.own(incarnation), ...ids] as const),
          ] as const)
        : []),
    ]);
    const own = new Map(indexes.map((incarnation, i) => [incarnation, rest[i]!]));
    const inSet = await this.#inSetOfUser(traces.filter((trace) => isLive(trace) && (named(trace) || isPlain(trace))));
    const at = new Map(ids.map((id, i) => [id, i]));
    return {
      now: millisecondsOf(time),
      of: (trace) => {
        const i = at.get(trace.id)!;
        const owner = trace.details
          ? named(trace)
          : candidates.find(({ incarnation }) => own.get(incarnation)?.[i] !== null);
        const end = owner ? (own.get(owner.incarnation)?.[i] ?? null) : null;
        return {
          owner,
          end: end === null ? null : Number(end),
          isListed: listed![i] === 1,
          isNewest: newest![i] !== null,
          isInSet: inSet.has(trace.id),
          isUserKnown: known![i] !== null,
        };
      },
    };
  }

  /** Those whose user's set holds them; what another program has made of a set can't be mended, and is no fault here. */
  async #inSetOfUser(traces: readonly Trace[]): Promise<Set<string>> {
    const { store, keys } = this.#sessions;
    const found = await store.attempt<number>(traces.map(({ id, user }) => ['SISMEMBER', keys.user(user ?? ''), id]));
    return new Set(traces.filter((_, i) => found[i] !== 0).map(({ id }) => id));
  }
}

/** Where an id was found. */
interface Place {
  /** The living process that it belongs to. */
  owner: Process | undefined;
  /** When it ends as the index of its owner says, milliseconds since 1970 (infinite for never); null: it isn't there. */
  end: number | null;
  isListed: boolean;
  isNewest: boolean;
  /** The user's set holds it. */
  isInSet: boolean;
  /** The index of users holds the user. */
  isUserKnown: boolean;
}

/** What is wrong with it; undefined where nothing is. */
function judge(trace: Trace, place: Place, now: number): Finding | undefined {
  const gone = goneOf(trace);
  const { owner } = place;
  if (owner) {
    const lost = lossOf(trace, place, now);
    return lost && { fault: lost, act: 'restore', owner, gone: { ...gone, index: owner } };
  }
  if (trace.details) {
    if (!isLive(trace)) return { fault: 'expired_id', act: 'reap', gone };
    return { fault: isOfAnother(trace) ? 'orphan_index' : 'ghost', act: 'reap', gone };
  }
  if (isLive(trace)) return undefined;
  return { fault: place.isListed ? 'expired_id' : 'orphan_index', act: 'reap', gone };
}

/** What a session of a living process has lost; undefined: nothing, or its owner is about to end it. */
function lossOf(
  trace: Trace,
  { end, isListed, isInSet, isNewest, isUserKnown }: Place,
  now: number,
): Fault | undefined {
  if (!isLive(trace)) {
    const isEnding = end !== null && end <= now && end > now - OWNER_GRACE;
    return isEnding ? undefined : 'expired_id';
  }
  if (!isListed) return 'unlisted';
  const hasRole = trace.role !== null || trace.details?.role === null;
  const isHeld = isInSet && isNewest && isUserKnown && end !== null && end > now;
  return trace.details !== null && hasRole && isHeld ? undefined : 'missing_index';
}

function isLive(trace: Trace): trace is Session {
  return trace.user !== null;
}

function goneOf({ id, user, details, packed }: Trace): Gone {
  return { id, user: user ?? '', details, packed };
}
