/**
 * Compares the families, the indexes and the nodes' memory, and says what doesn't agree; mends it where that is wanted.
 * Sessions come and go meanwhile, and other programs write theirs key by key: what looks wrong must look so again after
 * a moment before it is a fault, and once more to the script that mends it.
 */
import { pause } from '../../common/pause.ts';
import { Pacer } from '../pacer.ts';
import type { Sessions } from '../sessions.ts';
import { FAULTS, type FaultName, type Found, type Subject, signatureOf } from './fault.ts';
import { Look } from './look.ts';
import { remedy } from './remedy.ts';
import { walk } from './walk.ts';

export type { FaultName };

/** Milliseconds for which what is wrong must look so. */
const GRACE = 3000;
/** Share of the time that this works: Redis serves others for the rest. */
const SHARE = 0.25;
/** Faults that are named; all are counted. */
const LISTED = 100;
/** Times that what is left of a fault is mended. */
const ROUNDS = 3;
/** Pages with something wrong that wait to be looked at again; the walk goes no further meanwhile. */
const MOST_WAITING = 1000;

export interface CheckOptions {
  /** Mend what is found. */
  fix?: boolean;
  /** Faults that are named. */
  limit?: number;
  signal?: AbortSignal;
  /** Share of the time that it works, 0 to 1. */
  share?: number;
  /** Milliseconds. */
  grace?: number;
}

/** A fault as it is published. */
export interface FaultRow {
  fault: FaultName;
  session_id: string | null;
  user: string | null;
  key: string | null;
  node: string | null;
  fixed: boolean;
}

export interface Report {
  /** Milliseconds since 1970. */
  at: number;
  /** All was looked at, and every living node answered. */
  complete: boolean;
  nodesMissing: string[];
  /** What was looked at; endless: foreign sessions without a TTL, which is what their program wants. */
  checked: { sessions: number; users: number; keys: number; endless: number };
  /** The first ones. */
  faults: FaultRow[];
  counts: Record<FaultName, number>;
  total: number;
  fixed: number;
  /** Of those that aren't fixed: what can be mended here. */
  mendable: number;
  /** And what only a person can: move a key, or take a member out of it. */
  byHand: { key: number; member: number };
  /** Keys on which all else depends are not what they should be: nothing else was looked at. */
  cut: boolean;
}

/** @throws WssessError when Redis fails */
export async function check(sessions: Sessions, options: CheckOptions = {}): Promise<Report> {
  return new Check(sessions, options).run();
}

interface Suspect {
  /** When to look again, on the monotonic clock. */
  at: number;
  subject: Subject;
  signatures: Set<string>;
}

class Check {
  readonly #sessions: Sessions;
  readonly #options: CheckOptions;
  readonly #look: Look;
  readonly #pacer: Pacer;
  readonly #waiting: Suspect[] = [];
  /** Signatures of what was told: one place may be met twice. */
  readonly #told = new Set<string>();
  readonly #report: Report = {
    at: Date.now(),
    complete: true,
    nodesMissing: [],
    checked: { sessions: 0, users: 0, keys: 0, endless: 0 },
    faults: [],
    counts: Object.fromEntries(FAULTS.map((name) => [name, 0])) as Report['counts'],
    total: 0,
    fixed: 0,
    mendable: 0,
    byHand: { key: 0, member: 0 },
    cut: false,
  };

  constructor(sessions: Sessions, options: CheckOptions) {
    this.#sessions = sessions;
    this.#options = options;
    this.#look = new Look(sessions);
    this.#pacer = new Pacer(options.share ?? SHARE, options.signal);
  }

  async run(): Promise<Report> {
    const { signal, grace = GRACE } = this.#options;
    const { checked } = this.#report;
    const counted = (keys: number, users: number) => {
      checked.keys += keys;
      checked.users += users;
    };
    for await (const subject of walk(this.#sessions, this.#look.memory, counted)) {
      if (signal?.aborted) break;
      const { found, sessions, endless } = await this.#look.at(subject);
      checked.sessions += sessions;
      checked.endless += endless;
      if (found.length > 0) {
        this.#waiting.push({ at: performance.now() + grace, subject: narrow(subject, found), signatures: sign(found) });
      }
      await this.#ripe(subject.what === 'types' ? 0 : MOST_WAITING);
      await this.#pacer.rest();
      // So far nothing else was told.
      this.#report.cut = subject.what === 'types' && this.#report.total > 0;
      if (this.#report.cut) break;
    }
    await this.#ripe(0);
    this.#report.nodesMissing = [...this.#look.memory.missing].sort();
    this.#report.complete = this.#report.nodesMissing.length === 0 && !signal?.aborted && !this.#report.cut;
    return this.#report;
  }

  /** Looks again at what has waited long enough. @param most that may go on waiting */
  async #ripe(most: number): Promise<void> {
    const { signal } = this.#options;
    while (this.#waiting.length > 0 && !signal?.aborted) {
      const left = this.#waiting[0]!.at - performance.now();
      if (left > 0 && this.#waiting.length <= most) return;
      await pause(Math.max(0, left), signal);
      if (signal?.aborted) return;
      await this.#settle(this.#waiting.shift()!);
      await this.#pacer.rest();
    }
  }

  async #settle({ subject, signatures }: Suspect): Promise<void> {
    const again = (await this.#look.at(subject)).found.filter((one) => signatures.has(signatureOf(one)));
    const faults = again.filter((one) => !this.#told.has(signatureOf(one)));
    if (faults.length === 0) return;
    const left = this.#options.fix ? await this.#mend(narrow(subject, faults), faults) : sign(faults);
    for (const one of faults) this.#tell(one, !left.has(signatureOf(one)));
  }

  /** What one remedy laid bare another mends: what a node says isn't its own turns out to be foreign. @returns what is left */
  async #mend(subject: Subject, faults: Found[]): Promise<Set<string>> {
    const { missing } = this.#look.memory;
    const confirmed = sign(faults);
    let found = faults;
    for (let round = 0; round < ROUNDS; round++) {
      const open = found.filter((one) => isMendable(one) && (confirmed.has(signatureOf(one)) || !isRemoval(one)));
      if (open.length === 0) break;
      await remedy(open, this.#sessions, missing);
      // What only a node knows that doesn't answer any more is as it was, as far as is known.
      if ('process' in subject && subject.what !== 'own' && missing.has(subject.process.name)) return confirmed;
      found = (await this.#look.at(subject)).found;
    }
    return sign(found);
  }

  #tell(found: Found, fixed: boolean): void {
    const report = this.#report;
    const { fault, id, user, key, node } = found;
    this.#told.add(signatureOf(found));
    report.counts[fault]++;
    report.total++;
    if (fixed) report.fixed++;
    else if (found.remedy.act === 'hand') report.byHand[found.remedy.with]++;
    else report.mendable++;
    if (report.faults.length < (this.#options.limit ?? LISTED))
      report.faults.push({ fault, session_id: id, user, key, node, fixed });
  }
}

const isMendable = ({ remedy }: Found): boolean => remedy.act !== 'hand';

/** It takes something away, for which a fault must have lasted. */
function isRemoval({ remedy }: Found): boolean {
  return (
    ['prune', 'scrub', 'drop', 'discard', 'bury'].includes(remedy.act) ||
    (remedy.act === 'sweep' && remedy.finding.act === 'reap')
  );
}

const sign = (found: readonly Found[]): Set<string> => new Set(found.map(signatureOf));

/** The same subject with those members alone at which something was found. */
function narrow<Of extends Subject>(subject: Of, found: readonly Found[]): Of {
  return { ...subject, members: [...new Set(found.map(({ member }) => member))] };
}
