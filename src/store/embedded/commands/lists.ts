/** https://redis.io/docs/latest/commands/?group=list: both ends, ranges, and BLPOP. */
import { List } from '../data/list.ts';
import { float, integer, natural } from '../protocol/arguments.ts';
import { Fault, NIL_LIST, OK } from '../protocol/reply.ts';
import { type Handler, type Rows, wrongArity } from './command.ts';
import { ranks } from './sorted-sets.ts';

type End = 'left' | 'right';

const push =
  (end: End): Handler =>
  ([key, ...values], { db }) => {
    const list = db.list(key!) ?? new List();
    for (const value of values) list.push(end, value);
    const { size } = list;
    db.put(key!, list);
    return size;
  };

const pop =
  (end: End): Handler =>
  ([key, ...rest], { db }) => {
    if (rest.length > 1) throw wrongArity(end === 'left' ? 'lpop' : 'rpop');
    const count = rest.length === 1 ? natural(rest[0]) : undefined;
    const list = db.list(key!);
    if (!list) return count === undefined ? null : NIL_LIST;
    const popped = Array.from({ length: Math.min(count ?? 1, list.size) }, () => list.pop(end)!);
    if (popped.length > 0) db.changed(key!);
    return count === undefined ? popped[0]! : popped;
  };

const lrange: Handler = ([key, first, last], { db }) => {
  const [start, stop] = [integer(first), integer(last)];
  const list = db.list(key!);
  return list ? list.slice(...ranks(start, stop, list.size)) : [];
};

const lindex: Handler = ([key, text], { db }) => {
  const list = db.list(key!);
  if (!list) return null;
  const index = integer(text);
  return list.at(index < 0 ? index + list.size : index) ?? null;
};

const ltrim: Handler = ([key, first, last], { db }) => {
  const [start, stop] = [integer(first), integer(last)];
  const list = db.list(key!);
  if (!list) return OK;
  const [from, to] = ranks(start, stop, list.size);
  for (let right = list.size - to; right > 0; right--) list.pop('right');
  for (let left = from; left > 0; left--) list.pop('left');
  db.changed(key!);
  return OK;
};

/** Where no list has an element, the client waits; see waiting.ts. */
const blpop: Handler = (args, { db, client, engine, atomic }) => {
  const keys = args.slice(0, -1);
  const timeout = float(args.at(-1), 'ERR timeout is not a float or out of range') * 1000;
  // Beyond 64 bits Redis calls it negative, too.
  if (timeout < 0 || timeout >= 2 ** 63) throw new Fault('ERR timeout is negative');
  for (const key of keys) {
    const value = db.list(key)?.pop('left');
    if (value === undefined) continue;
    db.changed(key);
    return [key, value];
  }
  if (atomic) return NIL_LIST;
  engine.waiting.wait(client, keys, timeout);
  return undefined;
};

export const lists: Rows = {
  lpush: [-3, 'write denyoom', push('left')],
  rpush: [-3, 'write denyoom', push('right')],
  lpop: [-2, 'write', pop('left')],
  rpop: [-2, 'write', pop('right')],
  llen: [2, 'readonly', ([key], { db }) => db.list(key!)?.size ?? 0],
  lrange: [4, 'readonly', lrange],
  lindex: [3, 'readonly', lindex],
  ltrim: [4, 'write', ltrim],
  blpop: [-3, 'write noscript names', blpop],
};
