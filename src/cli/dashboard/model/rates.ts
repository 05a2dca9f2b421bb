/**
 * How much happens: rates of the counters that the nodes keep beside their lease. Pure. A node writes its counters with
 * each renewal, so a rate is the difference of two renewals over the time between them by the node's own clock.
 */
import type { NodeLoad } from '../../../sessions/overview.ts';

/** Milliseconds between two points of a series. */
export const POINT_EVERY = 2000;
/** Points kept: five minutes. */
const POINTS = 150;
/** A node that renews nothing for this long (milliseconds) has no rate. */
const FORGET = 10_000;

export const COUNTERS = ['connects', 'disconnects', 'kicks', 'messages_in', 'messages_out'] as const;
export type Counter = (typeof COUNTERS)[number];
type Counts = Readonly<Record<Counter, number>>;

/** A renewal of one process. */
interface Renewal {
  seenAt: number;
  counts: Counts;
}

/** A process, with what happens there a second. */
export interface Pace {
  last: Renewal;
  /** null: only one renewal was seen yet. */
  perSecond: Counts | null;
}

/** A stretch of the past, oldest first, a point every POINT_EVERY. */
export type Series = readonly (number | null)[];

export interface Rates {
  /** By incarnation. */
  paces: ReadonlyMap<string, Pace>;
  /** Sum over the living nodes; null while nothing is known. */
  perSecond: Counts | null;
  /** Since the dashboard was started. */
  kicked: number;
  series: Readonly<Record<Counter | 'sessions' | 'users', Series>>;
  /** When the last point was set (local clock); 0: never. */
  pointAt: number;
}

export function emptyRates(): Rates {
  const series = {
    connects: [],
    disconnects: [],
    kicks: [],
    messages_in: [],
    messages_out: [],
    sessions: [],
    users: [],
  };
  return { paces: new Map(), perSecond: null, kicked: 0, series, pointAt: 0 };
}

/** With what a frame says. @param at local clock, milliseconds */
export function addFrame(
  rates: Rates,
  { nodes, sessions, users }: { nodes: readonly NodeLoad[]; sessions: number; users: number },
  at: number,
): Rates {
  const paces = new Map<string, Pace>();
  let kicked = rates.kicked;
  for (const { alive, seenAt, info } of nodes) {
    const counts = alive && info ? countsOf(info) : null;
    if (!info || !counts) continue;
    const before = rates.paces.get(info.incarnation);
    const pace = nextPace(before, { seenAt, counts });
    kicked += before ? Math.max(0, counts.kicks - before.last.counts.kicks) : 0;
    paces.set(info.incarnation, pace);
  }
  const perSecond = sum([...paces.values()].flatMap((pace) => pace.perSecond ?? []));
  const next = { ...rates, paces, perSecond, kicked };
  return withPoints(next, { ...perSecond, sessions, users }, at);
}

/** With nothing known for the time that has passed: the series show a gap. */
export function addGap(rates: Rates, at: number): Rates {
  return rates.pointAt === 0 ? rates : withPoints(rates, {}, at);
}

function nextPace(before: Pace | undefined, now: Renewal): Pace {
  if (!before) return { last: now, perSecond: null };
  const seconds = (now.seenAt - before.last.seenAt) / 1000;
  if (seconds === 0) return before;
  // A clock that was set back, or a long silence: begin anew.
  if (seconds < 0 || seconds * 1000 > FORGET) return { last: now, perSecond: null };
  return { last: now, perSecond: each((name) => Math.max(0, now.counts[name] - before.last.counts[name]) / seconds) };
}

function countsOf(info: Partial<Record<Counter, number | null>>): Counts | null {
  return COUNTERS.every((name) => typeof info[name] === 'number') ? each((name) => info[name]!) : null;
}

function sum(all: readonly Counts[]): Counts | null {
  return all.length === 0 ? null : each((name) => all.reduce((total, one) => total + one[name], 0));
}

const each = (value: (name: Counter) => number): Counts =>
  Object.fromEntries(COUNTERS.map((name) => [name, value(name)])) as Counts;

/** Sets the points that are due: one as a rule; for the time that was missed, none are known. */
function withPoints(rates: Rates, values: Partial<Record<keyof Rates['series'], number>>, at: number): Rates {
  const due = rates.pointAt === 0 ? 1 : Math.floor((at - rates.pointAt) / POINT_EVERY);
  if (due < 1) return at < rates.pointAt ? { ...rates, pointAt: at } : rates;
  const missed = Array.from({ length: Math.min(due - 1, POINTS) }, () => null);
  const names = Object.keys(rates.series) as (keyof Rates['series'])[];
  const series = Object.fromEntries(
    names.map((name) => [name, [...rates.series[name], ...missed, values[name] ?? null].slice(-POINTS)]),
  ) as unknown as Rates['series'];
  return { ...rates, series, pointAt: rates.pointAt === 0 ? at : rates.pointAt + due * POINT_EVERY };
}
