/** A set of members. */
import { Table } from './table.ts';

/** Bytes that a member takes beside its own, measured. */
const OVERHEAD = 55;

export class MemberSet {
  readonly table = new Table<string>(itself);
  /** An estimate. */
  bytes = 0;

  get size(): number {
    return this.table.size;
  }

  has(member: string): boolean {
    return this.table.has(member);
  }

  /** @returns false when it was there already */
  add(member: string): boolean {
    if (this.table.has(member)) return false;
    this.table.add(member);
    this.bytes += member.length + OVERHEAD;
    return true;
  }

  delete(member: string): boolean {
    if (this.table.delete(member) === undefined) return false;
    this.bytes -= member.length + OVERHEAD;
    return true;
  }
}

const itself = (member: string): string => member;
