/**
 * The keys: values with their ends, who watches them, and how much memory they take. Every command comes here first.
 *
 * An expired key is gone for every reader at once (`find`), and a timer removes those that nobody reads within 100 ms.
 */
import { wrongType } from '../protocol/arguments.ts';
import { Deadlines, type Holder } from './deadlines.ts';
import { List } from './list.ts';
import { MemberSet } from './member-set.ts';
import { SortedSet } from './sorted-set.ts';
import { Table } from './table.ts';

export type Value = string | MemberSet | SortedSet | List;

interface Entry extends Holder {
  readonly key: string;
  value: Value;
  /** What of it is in `used`. */
  counted: number;
}

/** Bytes that a key takes beside its own and its value's, measured. */
const OVERHEAD = 170;
/** And those that a set, sorted set or list takes before it holds anything. */
const COLLECTION = 280;
/** Milliseconds between looks for keys that have expired, and the longest that one look takes. */
const LOOK_EVERY = 50;
const LOOK_FOR = 3;

export class Keyspace {
  #entries = new Table<Entry>(({ key }) => key);
  #deadlines = new Deadlines<Entry>();
  /** Told of each key that was written, removed or has expired. */
  readonly #onChange: (key: string) => void;
  #look: NodeJS.Timeout | undefined;
  #closed = false;
  /** Milliseconds since 1970: one time for the whole of a command, script or transaction. */
  now = Date.now();
  /** Bytes, an estimate. */
  used = 0;
  /** How many keys have expired since the start or CONFIG RESETSTAT. */
  expired = 0;

  constructor(onChange: (key: string) => void) {
    this.#onChange = onChange;
    this.#expireSome();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Keys that have an end. */
  get mortal(): number {
    return this.#deadlines.size;
  }

  /** Milliseconds that the keys with an end have left on average, an estimate; 0 without any. */
  averageTtl(): number {
    return this.mortal === 0 ? 0 : Math.max(0, Math.round(this.#deadlines.mean() - this.now));
  }

  /** The value, whatever its type. */
  get(key: string): Value | undefined {
    return this.#find(key)?.value;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** @throws Fault WRONGTYPE */
  string(key: string): string | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== 'string') throw wrongType();
    return value;
  }

  /** @throws Fault WRONGTYPE */
  set(key: string): MemberSet | undefined {
    return this.#as(MemberSet, key);
  }

  /** @throws Fault WRONGTYPE */
  sortedSet(key: string): SortedSet | undefined {
    return this.#as(SortedSet, key);
  }

  /** @throws Fault WRONGTYPE */
  list(key: string): List | undefined {
    return this.#as(List, key);
  }

  #as<T extends object>(type: new () => T, key: string): T | undefined {
    const value = this.get(key);
    if (value !== undefined && !(value instanceof type)) throw wrongType();
    return value;
  }

  /** Puts a value under a key; its end stays. */
  put(key: string, value: Value): void {
    const entry = this.#find(key);
    if (entry) entry.value = value;
    else this.#entries.add({ key, value, expiresAt: Infinity, place: -1, counted: 0 });
    this.changed(key);
  }

  /** To be called after each change of the inside of a value. A collection that has lost its last member goes. */
  changed(key: string): void {
    const entry = this.#entries.get(key)!;
    if (typeof entry.value !== 'string' && entry.value.size === 0) {
      this.#remove(entry);
      return;
    }
    const bytes = sizeOf(entry);
    this.used += bytes - entry.counted;
    entry.counted = bytes;
    this.#onChange(key);
  }

  delete(key: string): boolean {
    const entry = this.#find(key);
    if (entry) this.#remove(entry);
    return entry !== undefined;
  }

  clear(): void {
    const keys = this.#entries;
    this.#entries = new Table<Entry>(({ key }) => key);
    this.#deadlines = new Deadlines<Entry>();
    this.used = 0;
    for (const { key } of keys) this.#onChange(key);
  }

  /** Milliseconds since 1970; Infinity for a key without an end, undefined without a key. */
  expiresAt(key: string): number | undefined {
    return this.#find(key)?.expiresAt;
  }

  /** Sets the end of a key that exists; Infinity takes it away. A past end removes the key. */
  setExpiry(key: string, at: number): void {
    const entry = this.#find(key)!;
    if (at <= this.now) {
      this.#remove(entry);
      return;
    }
    this.#deadlines.set(entry, at);
    this.#onChange(key);
  }

  /** Bytes, an estimate. */
  memoryOf(key: string): number | undefined {
    return this.#find(key)?.counted;
  }

  /** As Table.scan, of keys that haven't expired. */
  scan(cursor: number, count: number, visit: (key: string, value: Value) => void): number {
    return this.#entries.scan(cursor, count, ({ key, value, expiresAt }) => {
      if (expiresAt > this.now) visit(key, value);
    });
  }

  *keys(): Generator<string> {
    for (const { key, expiresAt } of this.#entries) if (expiresAt > this.now) yield key;
  }

  random(): string | undefined {
    for (;;) {
      const entry = this.#entries.random();
      if (!entry || this.#find(entry.key)) return entry?.key;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#look);
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry || entry.expiresAt > this.now) return entry;
    this.#expire(entry);
    return undefined;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#deadlines.set(entry, Infinity);
    this.used -= entry.counted;
    this.#onChange(entry.key);
  }

  #expire(entry: Entry): void {
    this.#remove(entry);
    this.expired++;
  }

  /** Looks for keys that have expired, now and again: one look at a time, and others get their turn between. */
  #expireSome(): void {
    if (this.#closed) return;
    this.now = Date.now();
    const end = performance.now() + LOOK_FOR;
    for (let done = 1; ; done++) {
      const first = this.#deadlines.first;
      if (!first || first.expiresAt > this.now) break;
      this.#expire(first);
      if (done % 64 === 0 && performance.now() > end) {
        setImmediate(() => this.#expireSome());
        return;
      }
    }
    this.#look = setTimeout(() => this.#expireSome(), LOOK_EVERY).unref();
  }
}

function sizeOf({ key, value }: Entry): number {
  return OVERHEAD + key.length + (typeof value === 'string' ? value.length : COLLECTION + value.bytes);
}
