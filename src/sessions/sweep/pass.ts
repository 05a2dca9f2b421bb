/**
 * One pass over everything: the set of all, the indexes of living processes, the newest and the users, a page at a time,
 * paced. Mends what it finds, and keeps the index of foreign sessions where there are too many to walk for each answer.
 */
import { pause } from '../../common/pause.ts';
import { millisecondsOf } from '../clock.ts';
import { unpackDetails } from '../model.ts';
import { inPages } from '../owners.ts';
import { Pacer } from '../pacer.ts';
import type { Sessions } from '../sessions.ts';
import { Examiner, type Finding } from './examine.ts';
import { dropForeign, ForeignIndex, WALKED } from './foreign.ts';
import { add, type Mended, mend, nothing } from './mend.ts';
import { type Stale, staleOf } from './users.ts';

/** Entries that are looked at in one step. */
const PAGE = 100;
/** Share of the time that a pass works; a third of its work is Redis's, which so spends a tenth of its time at most. */
const SHARE = 0.25;
/** Milliseconds for which what others may be writing must look so: they write and remove a session key by key. */
const GRACE = 3000;
/** Findings that wait for this at a time; a pass goes no further meanwhile. */
const MOST_WAITING = 20_000;
/** Users of foreign sessions that are remembered from one pass to the next. */
const MOST_USERS = 100_000;

export interface PassOptions {
  signal?: AbortSignal;
  /** Share of the time that it works, 0 to 1. */
  share?: number;
  /** Milliseconds. */
  grace?: number;
  /** Users of foreign sessions that the pass before met: those that come no more leave stale ids in their sets. */
  met?: ReadonlySet<string>;
  /** Members of the set of all up to which no index of foreign sessions is kept. */
  walked?: number;
}

/** @returns what was mended, and the users of foreign sessions; cut short by the signal, what it has come to */
export async function pass(
  sessions: Sessions,
  { signal, share = SHARE, grace = GRACE, met = new Set(), walked = WALKED }: PassOptions = {},
): Promise<Mended & { met: Set<string> }> {
  return new Pass(sessions, { signal: signal ?? new AbortController().signal, share, grace, walked }).run(met);
}

class Pass {
  readonly #sessions: Sessions;
  readonly #options: Required<Omit<PassOptions, 'met'>>;
  readonly #pacer: Pacer;
  readonly #examiner: Examiner;
  readonly #waiting: { at: number; what: Finding | Stale }[] = [];
  readonly #mended = nothing();
  /** Owners that didn't answer this pass. */
  readonly #silent = new Set<string>();
  /** Users of foreign sessions, as this pass met them. */
  readonly #met = new Set<string>();

  constructor(sessions: Sessions, options: Required<Omit<PassOptions, 'met'>>) {
    this.#sessions = sessions;
    this.#options = options;
    this.#pacer = new Pacer(options.share, options.signal);
    this.#examiner = new Examiner(sessions);
  }

  async run(metBefore: ReadonlySet<string>): Promise<Mended & { met: Set<string> }> {
    const { store, keys } = this.#sessions;
    const { epoch } = store;
    const [listed, time] = await store.batch<unknown>([['SCARD', keys.all], ['TIME']]);
    const at = millisecondsOf(time);
    const isLarge = Number(listed) > this.#options.walked;
    const index = isLarge ? new ForeignIndex(this.#sessions, at) : undefined;
    if (!index) await dropForeign(this.#sessions);

    await this.#sweepAll(index);
    await this.#sweepOwn();
    await this.#sweepNewest();
    await this.#backwards(keys.users, (users) => this.#sweepUsers(users));
    const strangers = [...metBefore].filter((user) => !this.#met.has(user));
    for (const page of inPages(strangers, PAGE)) await this.#step(() => this.#sweepUsers(page));
    await this.#ripe(0);
    if (index) await this.#backwards(keys.foreign, (ids) => index.check(ids));
    // A walk that began again, after a reconnect, has counted some twice: the next pass says how many there are.
    if (index && !this.#isOver && store.epoch === epoch) await index.end();
    return { ...this.#mended, met: this.#met };
  }

  get #isOver(): boolean {
    return this.#options.signal.aborted;
  }

  async #sweepAll(index: ForeignIndex | undefined): Promise<void> {
    for await (const ids of this.#sessions.directory.allIds()) {
      if (this.#isOver) return;
      await this.#step(async () => {
        const examined = await this.#examiner.examine(ids);
        await index?.put(examined);
        await this.#take(examined.findings);
        const users = [...new Set(examined.foreign.map(({ user }) => user))].filter((user) => !this.#met.has(user));
        for (const user of users) if (this.#met.size < MOST_USERS) this.#met.add(user);
        await this.#sweepUsers(users);
      });
    }
  }

  /** The indexes of living processes: what the set of all doesn't hold, and what belongs to another. */
  async #sweepOwn(): Promise<void> {
    const { store, keys } = this.#sessions;
    for (const { incarnation } of await this.#examiner.processes()) {
      const own = keys.own(incarnation);
      await this.#backwards(own, async (ids) => {
        const [packed, names] = await store.batch<(string | null)[]>([
          ['MGET', ...ids.map(keys.details)],
          ['MGET', ...ids.map(keys.session)],
        ]);
        const orphans = ids.flatMap((id, i): Finding[] => {
          const details = unpackDetails(packed![i] ?? '');
          if (!details || details.incarnation === incarnation) return [];
          const gone = { id, user: names![i] ?? '', details, packed: packed![i]! };
          return [{ fault: 'orphan_index', act: 'unindex', index: own, gone }];
        });
        await this.#take(orphans);
        await this.#examineUnlisted(ids);
      });
    }
  }

  async #sweepNewest(): Promise<void> {
    await this.#backwards(this.#sessions.keys.newest, (ids) => this.#examineUnlisted(ids));
  }

  /** What the set of all holds was examined there. */
  async #examineUnlisted(ids: readonly string[]): Promise<void> {
    const { store, keys } = this.#sessions;
    const listed = await store.call<number[]>('SMISMEMBER', keys.all, ...ids);
    const unlisted = ids.filter((_, i) => listed[i] === 0);
    if (unlisted.length > 0) await this.#take((await this.#examiner.examine(unlisted)).findings);
  }

  async #sweepUsers(users: readonly string[]): Promise<void> {
    if (users.length === 0) return;
    const { stale, lost } = await staleOf(users, this.#sessions);
    this.#wait(stale);
    for (const ids of inPages(lost, PAGE)) await this.#take((await this.#examiner.examine(ids)).findings);
  }

  /** A sorted set by rank, from its end, so that what is taken out moves nothing that is still to come. */
  async #backwards(key: string, look: (members: string[]) => Promise<void>): Promise<void> {
    const size = await this.#sessions.store.call<number>('ZCARD', key);
    for (let to = size - 1; to >= 0 && !this.#isOver; to -= PAGE) {
      const members = await this.#sessions.store.call<string[]>('ZRANGE', key, Math.max(0, to - PAGE + 1), to);
      if (members.length > 0) await this.#step(() => look(members));
    }
  }

  async #step(work: () => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    await work();
    await this.#ripe(MOST_WAITING);
    await this.#pacer.rest();
  }

  async #take(findings: readonly Finding[]): Promise<void> {
    const waits = ({ act }: Finding) => act === 'reap' || act === 'relist';
    this.#wait(findings.filter(waits));
    const now = findings.filter((one) => !waits(one));
    add(this.#mended, await mend(now, this.#sessions, this.#silent));
  }

  #wait(found: readonly (Finding | Stale)[]): void {
    const at = performance.now() + this.#options.grace;
    for (const what of found) this.#waiting.push({ at, what });
  }

  /** Mends what has waited long enough. @param most that may go on waiting */
  async #ripe(most: number): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isOver) {
      const left = this.#waiting[0]!.at - performance.now();
      if (left > 0 && this.#waiting.length <= most) return;
      await pause(Math.max(0, left), this.#options.signal);
      if (this.#isOver) return;
      const ripe: (Finding | Stale)[] = [];
      const now = performance.now();
      while (ripe.length < PAGE && this.#waiting.length > 0 && this.#waiting[0]!.at <= now) {
        ripe.push(this.#waiting.shift()!.what);
      }
      const isFinding = (one: Finding | Stale): one is Finding => 'act' in one;
      add(this.#mended, await mend(ripe.filter(isFinding), this.#sessions));
      for (const one of ripe) {
        if (!isFinding(one)) this.#mended.expired += await this.#sessions.registry.prune(one.user, one.ids);
      }
      await this.#pacer.rest();
    }
  }
}
