/** https://redis.io/docs/latest/commands/?group=string */
import { flat } from '../data/flat.ts';
import type { Keyspace } from '../data/keyspace.ts';
import { fitsInt64, integer, parseInt64, syntaxError } from '../protocol/arguments.ts';
import { Fault, OK, type Reply } from '../protocol/reply.ts';
import { MAX_BULK } from '../protocol/request.ts';
import { type Handler, type Rows, wrongArity } from './command.ts';

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';

/** Sets a string and takes the end of the key away, as all of these commands do unless they say otherwise. */
function assign(db: Keyspace, key: string, value: string): void {
  db.put(key, value);
  db.setExpiry(key, Infinity);
}

type ExpiryUnit = 'ex' | 'px' | 'exat' | 'pxat';
interface Options {
  expiry?: { unit: ExpiryUnit; text: string };
  flags: Set<string>;
}

/** Reads options in any order; those that exclude each other are a syntax error, the same one again isn't. */
function optionsOf(args: readonly string[], allowed: readonly string[]): Options {
  const found: Options = { flags: new Set() };
  const excludes = (...others: string[]) => others.some((other) => found.flags.has(other));
  for (let i = 0; i < args.length; i++) {
    const option = args[i]!.toLowerCase();
    if (!allowed.includes(option)) throw syntaxError();
    switch (option) {
      case 'ex':
      case 'px':
      case 'exat':
      case 'pxat': {
        const text = args[++i];
        const other = found.expiry !== undefined && found.expiry.unit !== option;
        if (text === undefined || other || excludes('keepttl', 'persist')) throw syntaxError();
        found.expiry = { unit: option, text };
        continue;
      }
      case 'keepttl':
      case 'persist':
        if (found.expiry) throw syntaxError();
        break;
      case 'nx':
        if (excludes('xx')) throw syntaxError();
        break;
      case 'xx':
        if (excludes('nx')) throw syntaxError();
    }
    found.flags.add(option);
  }
  return found;
}

/** @returns milliseconds since 1970 */
function expiryAt(text: string, unit: ExpiryUnit, now: number, command: string): number {
  const value = integer(text) * (unit.startsWith('e') ? 1000 : 1);
  const at = unit.endsWith('at') ? value : value + now;
  if (value <= 0 || at >= 2 ** 63) throw new Fault(`ERR invalid expire time in '${command}' command`);
  return at;
}

const set: Handler = ([key, value, ...rest], { db }) => {
  const options = optionsOf(rest, ['ex', 'px', 'exat', 'pxat', 'keepttl', 'nx', 'xx', 'get']);
  const { expiry, flags } = options;
  const at = expiry ? expiryAt(expiry.text, expiry.unit, db.now, 'set') : Infinity;
  const old = flags.has('get') ? (db.string(key!) ?? null) : null;
  const refused = db.has(key!) ? flags.has('nx') : flags.has('xx');
  if (!refused) {
    db.put(key!, value!);
    if (!flags.has('keepttl')) db.setExpiry(key!, at);
  }
  return flags.has('get') ? old : refused ? null : OK;
};

const setFor =
  (command: string, unit: ExpiryUnit): Handler =>
  ([key, text, value], { db }) => {
    const at = expiryAt(text!, unit, db.now, command);
    db.put(key!, value!);
    db.setExpiry(key!, at);
    return OK;
  };

const getEx: Handler = ([key, ...rest], { db }) => {
  const { expiry, flags } = optionsOf(rest, ['ex', 'px', 'exat', 'pxat', 'persist']);
  const value = db.string(key!);
  if (value === undefined) return null;
  if (expiry) db.setExpiry(key!, expiryAt(expiry.text, expiry.unit, db.now, 'getex'));
  else if (flags.has('persist')) db.setExpiry(key!, Infinity);
  return value;
};

const getDel: Handler = ([key], { db }) => {
  const value = db.string(key!) ?? null;
  db.delete(key!);
  return value;
};

const getSet: Handler = ([key, value], { db }) => {
  const old = db.string(key!) ?? null;
  assign(db, key!, value!);
  return old;
};

function setAll(args: string[], db: Keyspace): void {
  for (let i = 0; i < args.length; i += 2) assign(db, args[i]!, args[i + 1]!);
}

const mset: Handler = (args, { db }) => {
  if (args.length % 2 === 1) throw wrongArity('mset');
  setAll(args, db);
  return OK;
};

const msetNx: Handler = (args, { db }) => {
  if (args.length % 2 === 1) throw wrongArity('msetnx');
  if (args.some((key, i) => i % 2 === 0 && db.has(key))) return 0;
  setAll(args, db);
  return 1;
};

const mget: Handler = (keys, { db }) =>
  keys.map((key): Reply => {
    const value = db.get(key);
    return typeof value === 'string' ? value : null;
  });

const setNx: Handler = (args, { db }) => {
  if (db.has(args[0]!)) return 0;
  setAll(args, db);
  return 1;
};

const append: Handler = ([key, more], { db }) => {
  const old = db.string(key!) ?? '';
  if (old.length + more!.length > MAX_BULK) {
    throw new Fault('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
  }
  const value = flat(old + more!);
  db.put(key!, value);
  return value.length;
};

function add(db: Keyspace, key: string, amount: bigint): bigint {
  const old = parseInt64(db.string(key) ?? '0');
  if (old === undefined) throw new Fault(NOT_AN_INTEGER);
  const sum = old + amount;
  if (!fitsInt64(sum)) throw new Fault('ERR increment or decrement would overflow');
  db.put(key, String(sum));
  return sum;
}

const addBy =
  (sign: 1n | -1n): Handler =>
  ([key, text], { db }) => {
    const amount = parseInt64(text!);
    if (amount === undefined) throw new Fault(NOT_AN_INTEGER);
    if (!fitsInt64(sign * amount)) throw new Fault('ERR decrement would overflow');
    return add(db, key!, sign * amount);
  };

export const strings: Rows = {
  set: [-3, 'write denyoom', set],
  get: [2, 'readonly', ([key], { db }) => db.string(key!) ?? null],
  getdel: [2, 'write', getDel],
  getex: [-2, 'write', getEx],
  getset: [3, 'write denyoom', getSet],
  setnx: [3, 'write denyoom', setNx],
  setex: [4, 'write denyoom', setFor('setex', 'ex')],
  psetex: [4, 'write denyoom', setFor('psetex', 'px')],
  mset: [-3, 'write denyoom', mset],
  msetnx: [-3, 'write denyoom', msetNx],
  mget: [-2, 'readonly', mget],
  append: [3, 'write denyoom', append],
  strlen: [2, 'readonly', ([key], { db }) => (db.string(key!) ?? '').length],
  incr: [2, 'write denyoom', ([key], { db }) => add(db, key!, 1n)],
  decr: [2, 'write denyoom', ([key], { db }) => add(db, key!, -1n)],
  incrby: [3, 'write denyoom', addBy(1n)],
  decrby: [3, 'write denyoom', addBy(-1n)],
};
