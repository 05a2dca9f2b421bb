/**
 * A hash table that can be scanned by a cursor without a memory: linear hashing. It grows and shrinks by one bucket at
 * a time, so no call ever stops to rehash a million entries as a Map does.
 *
 * Every entry has a fixed place: its hash, read from the lowest bit to the highest, as a number below 2^32. A bucket
 * holds the entries of one range of places. A cursor is a place, and a call of `scan` visits whole buckets from there
 * on: whatever is present from the first call to the last is visited, however the table changed between.
 */

/** Entries a bucket, on average, above which the table grows. */
const FULL = 6;
/** And below which it shrinks. */
const EMPTY = 2;
/** Buckets of which one call of `scan` visits at most ten times as many as the entries that are asked for. */
const PATIENCE = 10;
/** Drawn at start, so that nobody can choose keys that meet in one bucket. */
const SEED = Math.floor(Math.random() * 2 ** 32);

export class Table<Entry> {
  readonly #keyOf: (entry: Entry) => string;
  readonly #buckets: Entry[][] = [[]];
  /** The table has 2^bits buckets, and the first ones are split already into those above. */
  #bits = 0;
  size = 0;

  constructor(keyOf: (entry: Entry) => string) {
    this.#keyOf = keyOf;
  }

  get(key: string): Entry | undefined {
    const bucket = this.#buckets[this.#bucketOf(hash(key))]!;
    for (let i = 0; i < bucket.length; i++) if (this.#keyOf(bucket[i]!) === key) return bucket[i];
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Adds an entry whose key isn't there. */
  add(entry: Entry): void {
    const index = this.#bucketOf(hash(this.#keyOf(entry)));
    // A copy, since push() makes room for 16 more: most sets are a user's few sessions.
    this.#buckets[index] = [...this.#buckets[index]!, entry];
    if (++this.size > this.#buckets.length * FULL) this.#grow();
  }

  /** Removes an entry and returns it, undefined when there is none. */
  delete(key: string): Entry | undefined {
    const bucket = this.#buckets[this.#bucketOf(hash(key))]!;
    const at = bucket.findIndex((entry) => this.#keyOf(entry) === key);
    if (at < 0) return undefined;
    const entry = bucket[at]!;
    const last = bucket.pop()!;
    if (at < bucket.length) bucket[at] = last;
    if (--this.size < this.#buckets.length * EMPTY) this.#shrink();
    return entry;
  }

  /**
   * Visits about `count` entries from `cursor` on.
   * @returns the cursor to go on with, 0 at the end
   */
  scan(cursor: number, count: number, visit: (entry: Entry) => void): number {
    if (!(cursor >= 0 && cursor < 2 ** 32)) return 0;
    let place = cursor;
    let visited = 0;
    for (let tries = 0; tries < count * PATIENCE && visited < count; tries++) {
      const index = this.#bucketOf(reverse(place));
      const bucket = this.#buckets[index]!;
      for (const entry of bucket) visit(entry);
      visited += bucket.length;
      place = reverse(index) + 2 ** (32 - this.#bitsOf(index));
      if (place >= 2 ** 32) return 0;
    }
    return place;
  }

  /** An entry by chance, about as likely as any other. */
  random(): Entry | undefined {
    if (this.size === 0) return undefined;
    for (;;) {
      const bucket = this.#buckets[Math.floor(Math.random() * this.#buckets.length)]!;
      // A slot that may be empty makes entries of full buckets as likely as those of others.
      const entry = bucket[Math.floor(Math.random() * Math.max(bucket.length, FULL))];
      if (entry !== undefined) return entry;
    }
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  /** Bits of the hash that the entries of a bucket share: one more where the split has happened. */
  #bitsOf(index: number): number {
    const split = this.#buckets.length - 2 ** this.#bits;
    return index < split || index >= 2 ** this.#bits ? this.#bits + 1 : this.#bits;
  }

  #bucketOf(hashed: number): number {
    const wide = hashed & (2 ** (this.#bits + 1) - 1);
    return wide < this.#buckets.length ? wide : hashed & (2 ** this.#bits - 1);
  }

  /** Splits the next bucket in two. */
  #grow(): void {
    const index = this.#buckets.length - 2 ** this.#bits;
    const bit = 2 ** this.#bits;
    const old = this.#buckets[index]!;
    this.#buckets[index] = old.filter((entry) => (hash(this.#keyOf(entry)) & bit) === 0);
    this.#buckets.push(old.filter((entry) => (hash(this.#keyOf(entry)) & bit) !== 0));
    if (this.#buckets.length === bit * 2) this.#bits++;
  }

  /** Joins the last bucket to the one that it was split from. */
  #shrink(): void {
    if (this.#buckets.length === 1) return;
    if (this.#buckets.length === 2 ** this.#bits) this.#bits--;
    const last = this.#buckets.pop()!;
    this.#buckets[this.#buckets.length - 2 ** this.#bits]!.push(...last);
  }
}

/** 31 bits, so that small-integer arithmetic does; murmur3's mixing, a character at a time. */
function hash(key: string): number {
  let h = SEED | 0;
  for (let i = 0; i < key.length; i++) {
    h = Math.imul(h ^ key.charCodeAt(i), 0x5bd1e995);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The 32 bits of `value` in the opposite order. */
function reverse(value: number): number {
  let v = value | 0;
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8);
  return ((v >>> 16) | (v << 16)) >>> 0;
}
