/** https://redis.io/docs/latest/commands/?group=generic but the ends of keys (expiry.ts) and SCAN (scan.ts) */

import type { Keyspace, Value } from '../data/keyspace.ts';
import { List } from '../data/list.ts';
import { MemberSet } from '../data/member-set.ts';
import { syntaxError } from '../protocol/arguments.ts';
import { matches } from '../protocol/glob.ts';
import { Fault, OK, Status } from '../protocol/reply.ts';
import { container, type Handler, lower, type Rows } from './command.ts';

export function typeName(value: Value | undefined): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return 'string';
  return value instanceof MemberSet ? 'set' : value instanceof List ? 'list' : 'zset';
}

const del: Handler = (keys, { db }) => keys.filter((key) => db.delete(key)).length;

function move(db: Keyspace, from: string, to: string): void {
  const value = db.get(from);
  const at = db.expiresAt(from);
  if (value === undefined || at === undefined) throw new Fault('ERR no such key');
  if (from === to) return;
  db.delete(from);
  db.put(to, value);
  db.setExpiry(to, at);
}

const rename: Handler = ([from, to], { db }) => {
  move(db, from!, to!);
  return OK;
};

const renameNx: Handler = ([from, to], { db }) => {
  if (db.has(from!) && db.has(to!)) return 0;
  move(db, from!, to!);
  return 1;
};

const flush: Handler = (args, { db }) => {
  if (args.length > 1 || (args.length === 1 && !['sync', 'async'].includes(lower(args[0])!))) throw syntaxError();
  db.clear();
  return OK;
};

/** MEMORY USAGE: an estimate, whatever SAMPLES says. */
const memoryUsage: Handler = ([key, ...options], { db }) => {
  for (let i = 0; i < options.length; i += 2) {
    if (lower(options[i]) !== 'samples' || options[i + 1] === undefined) throw syntaxError();
  }
  return db.memoryOf(key!) ?? null;
};

export const keys: Rows = {
  exists: [-2, 'readonly', (names, { db }) => names.filter((key) => db.has(key)).length],
  del: [-2, 'write', del],
  unlink: [-2, 'write', del],
  type: [2, 'readonly', ([key], { db }) => new Status(typeName(db.get(key!)))],
  rename: [3, 'write', rename],
  renamenx: [3, 'write', renameNx],
  keys: [2, 'readonly', ([pattern], { db }) => [...db.keys()].filter((key) => matches(pattern!, key))],
  randomkey: [1, 'readonly', (_, { db }) => db.random() ?? null],
  dbsize: [1, 'readonly', (_, { db }) => db.size],
  flushall: [-1, 'write', flush],
  flushdb: [-1, 'write', flush],
  memory: container,
  'memory|usage': [-3, 'readonly', memoryUsage],
};
