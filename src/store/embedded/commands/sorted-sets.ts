/** https://redis.io/docs/latest/commands/?group=sorted-set but what orders by bytes (BYLEX) or joins sets */
import type { Keyspace } from '../data/keyspace.ts';
import { type Scored, SortedSet } from '../data/sorted-set.ts';
import { bound, float, formatDouble, integer, natural, syntaxError } from '../protocol/arguments.ts';
import { Fault, type Reply } from '../protocol/reply.ts';
import type { Handler, Rows } from './command.ts';

const ADD_OPTIONS = ['nx', 'xx', 'gt', 'lt', 'ch', 'incr'];

const add =
  (isIncrement: boolean): Handler =>
  ([key, ...args], { db }) => {
    const flags = new Set<string>(isIncrement ? ['incr'] : []);
    while (args.length > 0 && ADD_OPTIONS.includes(args[0]!.toLowerCase())) flags.add(args.shift()!.toLowerCase());
    if (args.length === 0 || args.length % 2 === 1) throw syntaxError();
    if (flags.has('nx') && flags.has('xx')) {
      throw new Fault('ERR XX and NX options at the same time are not compatible');
    }
    if ([flags.has('nx'), flags.has('gt'), flags.has('lt')].filter(Boolean).length > 1) {
      throw new Fault('ERR GT, LT, and/or NX options at the same time are not compatible');
    }
    if (flags.has('incr') && args.length > 2) {
      throw new Fault('ERR INCR option supports a single increment-element pair');
    }
    const scores = args.filter((_, i) => i % 2 === 0).map((text) => float(text));
    const known = db.sortedSet(key!);
    if (!known && flags.has('xx')) return flags.has('incr') ? null : 0;
    const set = known ?? new SortedSet();
    let [added, updated] = [0, 0];
    let result: number | null = null;
    for (const [i, given] of scores.entries()) {
      const member = args[i * 2 + 1]!;
      const old = set.score(member);
      if (old === undefined ? flags.has('xx') : flags.has('nx')) continue;
      const score = flags.has('incr') && old !== undefined ? old + given : given;
      if (Number.isNaN(score)) throw new Fault('ERR resulting score is not a number (NaN)');
      if (old !== undefined && ((flags.has('lt') && score >= old) || (flags.has('gt') && score <= old))) continue;
      result = score;
      if (old === score) continue;
      set.set(member, score);
      if (old === undefined) added++;
      else updated++;
    }
    if (known ? added + updated > 0 : added > 0) db.put(key!, set);
    if (flags.has('incr')) return result === null ? null : formatDouble(result);
    return flags.has('ch') ? added + updated : added;
  };

type By = 'rank' | 'score';
type Direction = 'forward' | 'reverse';

/** ZRANGE and the older commands, for which the kind of range or the direction is given. */
const range =
  (fixedBy?: By, fixedDirection?: Direction): Handler =>
  ([key, first, last, ...options], { db }) => {
    let [by, direction] = [fixedBy, fixedDirection];
    let [withScores, offset, limit] = [false, 0, -1];
    for (let i = 0; i < options.length; i++) {
      const option = options[i]!.toLowerCase();
      if (option === 'withscores') withScores = true;
      else if (option === 'limit' && i + 2 < options.length)
        [offset, limit] = [integer(options[++i]), integer(options[++i])];
      else if (option === 'rev' && !direction) direction = 'reverse';
      else if (option === 'byscore' && !by) by = 'score';
      else if (option === 'bylex' && !by) throw new Fault("ERR BYLEX is not known to wssess's embedded store");
      else throw syntaxError();
    }
    if (limit !== -1 && by !== 'score') {
      throw new Fault('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
    }
    const reverse = direction === 'reverse';
    if (by !== 'score') return show(byRank(db.sortedSet.bind(db, key!), first!, last!, reverse), withScores);
    const [min, max] = (reverse ? [last!, first!] : [first!, last!]).map(bound);
    const set = db.sortedSet(key!);
    if (!set || offset < 0) return [];
    let [from, to] = [set.below(min!), set.upTo(max!)];
    if (reverse) [from, to] = [limit < 0 ? from : Math.max(from, to - offset - limit), to - offset];
    else [from, to] = [from + offset, limit < 0 ? to : Math.min(to, from + offset + limit)];
    const found = from < to ? set.slice(from, to) : [];
    return show(reverse ? found.reverse() : found, withScores);
  };

/** Looks the set up only after the arguments were read, as Redis does. */
function byRank(find: () => SortedSet | undefined, first: string, last: string, reverse: boolean): Scored[] {
  const [start, stop] = [integer(first), integer(last)];
  const set = find();
  if (!set) return [];
  const [from, to] = ranks(start, stop, set.size);
  return reverse ? set.slice(set.size - to, set.size - from).reverse() : set.slice(from, to);
}

/** Ranks as they are typed, -1 the last, to `from` and `to` (exclusive) within the size. */
export function ranks(start: number, stop: number, size: number): [from: number, to: number] {
  const from = Math.max(0, start < 0 ? start + size : start);
  const to = Math.min(size, (stop < 0 ? stop + size : stop) + 1);
  return from < to ? [from, to] : [0, 0];
}

const show = (found: readonly Scored[], withScores: boolean): string[] =>
  found.flatMap(({ member, score }) => (withScores ? [member, formatDouble(score)] : [member]));

const rank =
  (reverse: boolean): Handler =>
  ([key, member], { db }) => {
    const set = db.sortedSet(key!);
    const found = set?.rank(member!);
    return found === undefined ? null : reverse ? set!.size - 1 - found : found;
  };

function score(db: Keyspace, key: string, members: readonly string[]): Reply[] {
  const set = db.sortedSet(key);
  return members.map((member) => {
    const found = set?.score(member);
    return found === undefined ? null : formatDouble(found);
  });
}

const count: Handler = ([key, first, last], { db }) => {
  const [min, max] = [bound(first!), bound(last!)];
  const set = db.sortedSet(key!);
  return set ? Math.max(0, set.upTo(max) - set.below(min)) : 0;
};

const rem: Handler = ([key, ...members], { db }) => {
  const set = db.sortedSet(key!);
  const removed = set ? members.filter((member) => set.delete(member)).length : 0;
  if (removed > 0) db.changed(key!);
  return removed;
};

function removeSlice(db: Keyspace, key: string, between: (set: SortedSet) => [from: number, to: number]): number {
  const set = db.sortedSet(key);
  const removed = set ? set.deleteSlice(...between(set)) : 0;
  if (removed > 0) db.changed(key);
  return removed;
}

const remByScore: Handler = ([key, first, last], { db }) => {
  const [min, max] = [bound(first!), bound(last!)];
  return removeSlice(db, key!, (set) => [set.below(min), set.upTo(max)]);
};

const remByRank: Handler = ([key, first, last], { db }) => {
  const [start, stop] = [integer(first), integer(last)];
  return removeSlice(db, key!, (set) => ranks(start, stop, set.size));
};

const pop =
  (end: 'min' | 'max'): Handler =>
  ([key, ...rest], { db }) => {
    if (rest.length > 1) throw syntaxError();
    const most = rest.length === 1 ? natural(rest[0]) : 1;
    const set = db.sortedSet(key!);
    if (!set) return [];
    const found = end === 'min' ? set.slice(0, most) : set.slice(Math.max(0, set.size - most), set.size).reverse();
    for (const { member } of found) set.delete(member);
    if (found.length > 0) db.changed(key!);
    return show(found, true);
  };

export const sortedSets: Rows = {
  zadd: [-4, 'write denyoom', add(false)],
  zincrby: [4, 'write denyoom', add(true)],
  zrem: [-3, 'write', rem],
  zscore: [3, 'readonly', ([key, member], { db }) => score(db, key!, [member!])[0]!],
  zmscore: [-3, 'readonly', ([key, ...members], { db }) => score(db, key!, members)],
  zcard: [2, 'readonly', ([key], { db }) => db.sortedSet(key!)?.size ?? 0],
  zcount: [4, 'readonly', count],
  zrank: [3, 'readonly', rank(false)],
  zrevrank: [3, 'readonly', rank(true)],
  zrange: [-4, 'readonly', range()],
  zrevrange: [-4, 'readonly', range('rank', 'reverse')],
  zrangebyscore: [-4, 'readonly', range('score', 'forward')],
  zrevrangebyscore: [-4, 'readonly', range('score', 'reverse')],
  zremrangebyscore: [4, 'write', remByScore],
  zremrangebyrank: [4, 'write', remByRank],
  zpopmin: [-2, 'write', pop('min')],
  zpopmax: [-2, 'write', pop('max')],
};
