/** What the doctor looks at, what it finds there, and what mends that. Types and pure functions. */
import type { Process } from '../nodes.ts';
import type { Fault, Finding } from '../sweep/examine.ts';

/**
 * Those of the sweep (sweep/examine.ts), and `no_ttl`: a key of a session or a user's set without a TTL, where what it
 * belongs to has one · `bad_id`: an id that can't be a session's, or a key of another type.
 */
export type FaultName = Fault | 'no_ttl' | 'bad_id';

export const FAULTS: readonly FaultName[] = [
  'ghost',
  'expired_id',
  'unlisted',
  'missing_index',
  'orphan_index',
  'no_ttl',
  'bad_id',
];

/** Some things that are looked at together, at most some 100. */
export type Subject =
  /** Keys on which all else depends: whether they are of their type (types.ts). Where one isn't, nothing else is looked at. */
  | { what: 'types'; members: string[] }
  /** Session ids; what the sets, the indexes and the keys say of them. */
  | { what: 'ids'; members: string[] }
  /** Members of the set of all. */
  | { what: 'all'; members: string[] }
  /** Users: their sets. */
  | { what: 'users'; members: string[] }
  /** Keys of the families that can be no session's. */
  | { what: 'keys'; members: string[] }
  /** Entries of the index of a process: whether they belong there. */
  | { what: 'own'; members: string[]; process: Process }
  /** Entries of the index of the newest that can be no session's. */
  | { what: 'newest'; members: string[] }
  /** Sessions that Redis gives to a process: whether it has a socket for each. */
  | { what: 'held'; members: string[]; process: Process }
  /** Sessions that a process has: whether Redis knows of each. */
  | { what: 'claimed'; members: string[]; process: Process };

/** What mends a fault. */
export type Remedy =
  | { act: 'sweep'; finding: Finding }
  /** Remove all that a dead process left. */
  | { act: 'bury'; process: Process }
  /** Give an own session the TTL that it was registered with, in ms. */
  | { act: 'limit'; id: string; ttl: number; finding: Finding }
  | { act: 'bound'; id: string }
  | { act: 'boundSet'; user: string }
  | { act: 'prune'; user: string; ids: string[] }
  | { act: 'scrub'; set: string; id: string }
  /** Take out of an index what can be no session's. */
  | { act: 'drop'; index: string; id: string }
  /** Remove details that belong to no node's session. */
  | { act: 'discard'; id: string; packed: string }
  /**
   * Nothing here does: what it is, whose it is and where it should go only a person knows. It is the key, or a member of
   * it: one that can't be named here, or behind which stands a key.
   */
  | { act: 'hand'; with: 'key' | 'member' };

export interface Found {
  fault: FaultName;
  /** The member of the subject at which it was found. */
  member: string;
  id: string | null;
  user: string | null;
  /** The key that is wrong, or that holds what is; null: several. */
  key: string | null;
  node: string | null;
  remedy: Remedy;
}

/** The same fault at the same place has the same. */
export const signatureOf = ({ fault, id, key, user }: Found): string => JSON.stringify([fault, id, key, user]);
