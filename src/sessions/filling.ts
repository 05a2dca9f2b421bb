/**
 * Fills a window of a sorted index whose entries mostly live no more: a killed node leaves all of its sessions there
 * until somebody purges them. Looks on below and above, a bounded number of entries a frame, and remembers the longest
 * stretch of dead ones, so that the next frame begins behind it.
 */
import type { Store } from '../store/store.ts';

/** A stretch of an index: its entries, and what is there of those that live. */
export interface Filled<T> {
  top: number;
  /** Ranks before this one were looked at. */
  to: number;
  rows: T[];
  ranks: number[];
}

/** What a window asked for, and what was found in it. */
export interface Filling<T> extends Filled<T> {
  /** Of its entries: who comes meanwhile shifts the ranks, and none is to be there twice. */
  members: readonly string[];
  /** Rows wanted. */
  wanted: number;
  total: number;
  oldestFirst: boolean;
  /** What lives of some entries of the index, in their order. */
  see(entries: readonly Entry[]): Promise<readonly (T | undefined)[]>;
}

export type Entry = readonly [member: string, score: string];

/** Entries a page; pages that a frame reads beside its window. */
const PAGE = 100;
const MOST_PAGES = 10;
/** Living rows wanted above a window that begins with as many dead ones: that far the cursor moves without waiting. */
const ABOVE = 8;

/** Dead entries in a row, by their first and last member. */
interface Stretch {
  oldestFirst: boolean;
  first: string;
  last: string;
  length: number;
  /** How many of them were looked at again. */
  checked: number;
}

export class Filler {
  readonly #store: Store;
  readonly #key: string;
  #dead: Stretch | undefined;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.#key = key;
  }

  /** @throws WssessError when Redis fails */
  async fill<T>(filling: Filling<T>): Promise<Filled<T>> {
    const { top, to, rows, ranks, total, wanted, oldestFirst, see } = filling;
    const found: Filled<T> = { top, to, rows: [...rows], ranks: [...ranks] };
    const isShort = rows.length * 2 < to - top && to < total;
    const head = (ranks[0] ?? to) - top;
    const headDead = top > 0 && head >= Math.min(ABOVE / 2, to - top);
    if (!isShort && !headDead) return found;
    const known = await this.#known(oldestFirst, see);
    let pages = MOST_PAGES;
    const read = async (from: number, count: number) => {
      pages--;
      const entries = await this.#read(from, count, oldestFirst);
      return { entries, living: await see(entries) };
    };
    const dead = new Run();
    const seen = new Set(filling.members);
    if (isShort) {
      while (found.rows.length < wanted && found.to < total && pages > 0) {
        if (known && found.to >= known.from && found.to < known.to) {
          dead.add(known.from, known.to, this.#dead!.first, this.#dead!.last);
          found.to = known.to;
          continue;
        }
        const { entries, living } = await read(found.to, PAGE);
        if (entries.length === 0) break;
        for (const [i, [member]] of entries.entries()) {
          const row = living[i];
          if (row === undefined) dead.add(found.to, found.to + 1, member, member);
          else if (!seen.has(member) && seen.add(member)) {
            found.rows.push(row);
            found.ranks.push(found.to);
          }
          found.to++;
          if (found.rows.length >= wanted) break;
        }
      }
    }
    if (top > 0 && (headDead || found.rows.length < wanted)) {
      let above = 0;
      const enough = Math.max(ABOVE, wanted - found.rows.length);
      // Half of what a frame may read is kept for below.
      while (above < enough && found.top > 0 && pages > (isShort ? -MOST_PAGES / 2 : 0)) {
        if (known && found.top > known.from && found.top <= known.to) {
          dead.addAbove(known.from, known.to, this.#dead!.first, this.#dead!.last);
          found.top = known.from;
          continue;
        }
        const count = Math.min(PAGE, found.top);
        const { entries, living } = await read(found.top - count, count);
        if (entries.length === 0) break;
        for (let i = entries.length - 1; i >= 0 && above < enough; i--) {
          found.top--;
          const row = living[i];
          const [member] = entries[i]!;
          if (row === undefined) dead.addAbove(found.top, found.top + 1, member, member);
          else if (!seen.has(member) && seen.add(member)) {
            above++;
            found.rows.unshift(row);
            found.ranks.unshift(found.top);
          }
        }
      }
    }
    this.#remember(dead, oldestFirst);
    return found;
  }

  /** Where the remembered stretch is now; undefined when entries went from it or came into it. */
  async #known(oldestFirst: boolean, see: Filling<unknown>['see']): Promise<{ from: number; to: number } | undefined> {
    const dead = this.#dead;
    this.#dead = undefined;
    if (!dead || dead.oldestFirst !== oldestFirst) return undefined;
    const rank = oldestFirst ? 'ZRANK' : 'ZREVRANK';
    const [first, last] = await this.#store.batch<number | null>([
      [rank, this.#key, dead.first],
      [rank, this.#key, dead.last],
    ]);
    if (typeof first !== 'number' || typeof last !== 'number' || last - first !== dead.length - 1) return undefined;
    // One may have come while another went: page by page, a frame each, it is looked at again.
    const at = dead.checked % dead.length;
    const living = await see(await this.#read(first + at, Math.min(PAGE, dead.length - at), oldestFirst));
    if (living.some((row) => row !== undefined)) return undefined;
    this.#dead = { ...dead, checked: at + PAGE };
    return { from: first, to: last + 1 };
  }

  #remember({ longest }: Run, oldestFirst: boolean): void {
    if (!longest || longest.to - longest.from <= (this.#dead?.length ?? 0)) return;
    const { from, to, first, last } = longest;
    this.#dead = { oldestFirst, first, last, length: to - from, checked: this.#dead?.checked ?? 0 };
  }

  async #read(from: number, count: number, oldestFirst: boolean): Promise<Entry[]> {
    const order = oldestFirst ? [] : ['REV'];
    const range = ['ZRANGE', this.#key, from, from + count - 1, ...order, 'WITHSCORES'] as const;
    return pairs(await this.#store.call<string[]>(...range));
  }
}

/** The longest run of dead entries among those that are read, one after another. */
class Run {
  longest: { from: number; to: number; first: string; last: string } | undefined;
  #now: Run['longest'];

  /** The next one below. */
  add(from: number, to: number, first: string, last: string): void {
    this.#now = this.#now?.to === from ? { ...this.#now, to, last } : { from, to, first, last };
    this.#keep();
  }

  /** The next one above. */
  addAbove(from: number, to: number, first: string, last: string): void {
    this.#now = this.#now?.from === to ? { ...this.#now, from, first } : { from, to, first, last };
    this.#keep();
  }

  #keep(): void {
    const { from, to } = this.#now!;
    if (!this.longest || to - from > this.longest.to - this.longest.from) this.longest = this.#now;
  }
}

/** A flat answer of a sorted set, member by member. */
export function pairs(flat: readonly string[] = []): [member: string, score: string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}
