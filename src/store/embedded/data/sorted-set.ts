/**
 * A sorted set: members in the order of score, then bytes. A table finds a member's score; a row of blocks of up to
 * 512 members each, in order, finds ranks and ranges. That is a B-tree of two levels: at 1,000,000 members a step is a
 * binary search among some 3,000 blocks, and a rank adds their lengths up, both within microseconds.
 */
import type { Bound } from '../protocol/arguments.ts';
import { Table } from './table.ts';

const BLOCK = 512;
/** Bytes that a member takes beside its own, measured. */
const OVERHEAD = 120;

export interface Scored {
  readonly member: string;
  score: number;
}

export class SortedSet {
  readonly table = new Table<Scored>(memberOf);
  #blocks: Scored[][] = [];
  /** An estimate. */
  bytes = 0;

  get size(): number {
    return this.table.size;
  }

  score(member: string): number | undefined {
    return this.table.get(member)?.score;
  }

  /** Sets the score of a member, which is added if it is new. */
  set(member: string, given: number): void {
    const score = given + 0; // -0 is 0, as in Redis' compact encoding
    const known = this.table.get(member);
    if (known) {
      this.#take(known);
      known.score = score;
      this.#place(known);
      return;
    }
    const added = { member, score };
    this.table.add(added);
    this.#place(added);
    this.bytes += member.length + OVERHEAD;
  }

  delete(member: string): boolean {
    const known = this.table.delete(member);
    if (!known) return false;
    this.#take(known);
    this.bytes -= member.length + OVERHEAD;
    return true;
  }

  /** Position from the lowest, 0 first. */
  rank(member: string): number | undefined {
    const known = this.table.get(member);
    return known && this.#position((other) => before(other, known));
  }

  /** How many members lie below the range that begins at `min`. */
  below({ score, exclusive }: Bound): number {
    return this.#position((one) => (exclusive ? one.score <= score : one.score < score));
  }

  /** How many members lie in or below the range that ends at `max`. */
  upTo({ score, exclusive }: Bound): number {
    return this.below({ score, exclusive: !exclusive });
  }

  /** The members of ranks `from` to `to`, without `to`. */
  slice(from: number, to: number): Scored[] {
    const found: Scored[] = [];
    let first = 0;
    for (const block of this.#blocks) {
      if (first >= to) break;
      if (first + block.length > from) {
        for (const one of block.slice(Math.max(0, from - first), to - first)) found.push(one);
      }
      first += block.length;
    }
    return found;
  }

  /** Removes what `slice` gives, and returns how many that were. */
  deleteSlice(from: number, to: number): number {
    const gone = this.slice(from, to);
    if (gone.length === 0) return 0;
    for (const { member } of gone) {
      this.table.delete(member);
      this.bytes -= member.length + OVERHEAD;
    }
    let first = 0;
    // Block by block: taking each member out by itself would move the others of its block each time.
    this.#blocks = this.#blocks.flatMap((block) => {
      const [begin, end] = [Math.max(0, from - first), to - first];
      first += block.length;
      if (begin >= block.length || end <= 0) return [block];
      const kept = block.slice(0, begin).concat(block.slice(end));
      return kept.length > 0 ? [kept] : [];
    });
    return gone.length;
  }

  /** The number of members that `isBefore` holds for; it holds for the first ones, in order, and no others. */
  #position(isBefore: (one: Scored) => boolean): number {
    const index = this.#blockAt(isBefore);
    let rank = 0;
    for (let i = 0; i < index; i++) rank += this.#blocks[i]!.length;
    return rank + (index < this.#blocks.length ? firstNot(this.#blocks[index]!, isBefore) : 0);
  }

  /** The first block whose last member isn't before. */
  #blockAt(isBefore: (one: Scored) => boolean): number {
    return firstNot(this.#blocks, (block) => isBefore(block.at(-1)!));
  }

  #place(one: Scored): void {
    const isBefore = (other: Scored) => before(other, one);
    const index = Math.min(this.#blockAt(isBefore), this.#blocks.length - 1);
    if (index < 0) {
      this.#blocks.push([one]);
      return;
    }
    const block = this.#blocks[index]!;
    block.splice(firstNot(block, isBefore), 0, one);
    if (block.length <= BLOCK) return;
    // Members mostly arrive in order (times): a full last block stays full, and a new one begins.
    const cut = one === block.at(-1) ? BLOCK : BLOCK / 2;
    this.#blocks.splice(index + 1, 0, block.splice(cut));
  }

  #take(one: Scored): void {
    const isBefore = (other: Scored) => before(other, one);
    const index = this.#blockAt(isBefore);
    const block = this.#blocks[index]!;
    block.splice(firstNot(block, isBefore), 1);
    const next = this.#blocks[index + 1];
    if (block.length === 0) this.#blocks.splice(index, 1);
    else if (next && block.length + next.length < BLOCK / 4) this.#blocks.splice(index, 2, block.concat(next));
  }
}

const memberOf = ({ member }: Scored): string => member;

const before = (a: Scored, b: Scored): boolean => a.score < b.score || (a.score === b.score && a.member < b.member);

/** Index of the first item for which `holds` doesn't; it holds for the first ones and no others. */
function firstNot<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
