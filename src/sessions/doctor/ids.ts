/** What is wrong with session ids: what the sweep finds (sweep/examine.ts), and what it leaves alone. Reads only. */
import { WssessError } from '../../common/errors.ts';
import { isUsableId, type Session } from '../model.ts';
import type { Sessions } from '../sessions.ts';
import type { Examined, Examiner, Finding } from '../sweep/examine.ts';
import type { Found } from './fault.ts';

type Floor = Pick<Sessions, 'store' | 'keys' | 'directory' | 'nodes'>;

export interface Looked {
  found: Found[];
  /** Live sessions. */
  sessions: number;
  /** Foreign ones among them that have no end, as their program wants it. */
  endless: number;
}

/** @param ids usable ones (isUsableId), at most some 100 */
export async function lookAtIds(ids: readonly string[], floor: Floor, examiner: Examiner): Promise<Looked> {
  const examined = await examiner.examine(ids);
  const { findings, foreign, live } = examined;
  const foreignIds = new Set(foreign.map(({ id }) => id));
  const ghosts = new Set(findings.flatMap(({ act, gone }) => (act === 'reap' ? [gone.id] : [])));
  const own = live.filter(({ id }) => !foreignIds.has(id) && !ghosts.has(id));
  const nowhere = await heldNowhere(findings, floor);
  const odd = await rolesOfAnotherType(live, floor);
  const isOdd = new Set(odd.map(({ id }) => id));
  const found = findings
    .filter((one) => !nowhere.has(one) && !(one.act === 'restore' && isOdd.has(one.gone.id)))
    .map((finding) => ofFinding(finding, floor));
  found.push(...odd, ...(await unreadableOf(foreign, floor)));
  if (examined.skipped > 0) found.push(...(await ofAnotherType(ids, examined, floor)));
  found.push(...(await endlessOf(foreign, own, examined, floor)));
  return { found, sessions: live.length, endless: foreign.filter(({ ttl }) => ttl === null).length };
}

/**
 * Of an id without a session the sweep takes for granted that an index holds it. Here it may come from elsewhere, or have
 * been taken out meanwhile: those that nothing holds any more.
 */
async function heldNowhere(findings: readonly Finding[], { store, keys }: Floor): Promise<Set<Finding>> {
  const orphans = findings.filter(({ fault, act, gone }) => fault === 'orphan_index' && act === 'reap' && !gone.packed);
  if (orphans.length === 0) return new Set();
  const ids = orphans.map(({ gone }) => gone.id);
  const [newest, ...roles] = await store.batch<unknown>([
    ['ZMSCORE', keys.newest, ...ids],
    ...ids.map((id) => ['EXISTS', keys.role(id)] as const),
  ]);
  return new Set(orphans.filter((_, i) => (newest as (string | null)[])[i] === null && roles[i] === 0));
}

/** One of the sweep's. */
export function ofFinding(finding: Finding, { keys }: Pick<Floor, 'keys'>): Found {
  const { fault, gone } = finding;
  const keyOf = () => {
    if (finding.act === 'unindex') return finding.index;
    if (fault === 'ghost') return keys.session(gone.id);
    if (fault === 'unlisted' || fault === 'expired_id') return keys.all;
    if (finding.act === 'relist') return keys.user(gone.user);
    return null;
  };
  return {
    fault,
    member: gone.id,
    id: gone.id,
    user: gone.user || gone.details?.user || null,
    key: keyOf(),
    node: (finding.act === 'restore' ? finding.owner.name : gone.details?.node) ?? null,
    remedy: { act: 'sweep', finding },
  };
}

async function ofAnotherType(
  ids: readonly string[],
  { findings, live }: Examined,
  { store, keys }: Floor,
): Promise<Found[]> {
  const known = new Set([...findings.map(({ gone }) => gone.id), ...live.map(({ id }) => id)]);
  const rest = ids.filter((id) => !known.has(id));
  const types = await store.batch<string>(rest.map((id) => ['TYPE', keys.session(id)]));
  return rest
    .filter((_, i) => types[i] !== 'none' && types[i] !== 'string')
    .map((id) => badId(id, keys.session(id), id, { act: 'hand', with: 'key' }));
}

/** Of a session whose role can't be read: what it is stands in the way of all that its owner writes. */
async function rolesOfAnotherType(live: readonly Session[], { store, keys }: Floor): Promise<Found[]> {
  const without = live.filter(({ role }) => role === null);
  if (without.length === 0 || (await store.call<number>('EXISTS', ...without.map(({ id }) => keys.role(id)))) === 0)
    return [];
  const types = await store.batch<string>(without.map(({ id }) => ['TYPE', keys.role(id)]));
  return without.flatMap(({ id, user, details }, i) => {
    if (types[i] === 'none' || types[i] === 'string') return [];
    const node = details?.node ?? null;
    return [{ ...badId(id, keys.role(id), id, { act: 'hand', with: 'key' }), user, node }];
  });
}

/** Details that can't be read, or are of another type, beside a session that is no node's. */
async function unreadableOf(foreign: readonly Session[], { store, keys }: Floor): Promise<Found[]> {
  if (foreign.length === 0) return [];
  if ((await store.call<number>('EXISTS', ...foreign.map(({ id }) => keys.details(id)))) === 0) return [];
  const there = await store.batch<number>(foreign.map(({ id }) => ['EXISTS', keys.details(id)]));
  return foreign.flatMap(({ id, user, packed }, i): Found[] => {
    if (there[i] === 0) return [];
    const remedy = { act: 'discard', id, packed } as const;
    return [{ fault: 'orphan_index', member: id, id, user, key: keys.details(id), node: null, remedy }];
  });
}

export function badId(id: string | null, key: string, member: string, remedy: Found['remedy']): Found {
  return { fault: 'bad_id', member, id, user: null, key, node: null, remedy };
}

/**
 * Keys without a TTL. A foreign session key without one is what its program wants; its role needs one only where the
 * session has one.
 */
async function endlessOf(
  foreign: readonly Session[],
  own: readonly Session[],
  { findings }: Examined,
  { store, keys }: Floor,
): Promise<Found[]> {
  const found: Found[] = [];
  const owners = new Map(findings.flatMap((one) => (one.act === 'restore' ? [[one.gone.id, one.owner] as const] : [])));
  for (const { id, user, ttl, details, packed } of own) {
    if (ttl !== null || !details) continue;
    const owner = owners.get(id) ?? { name: details.node, incarnation: details.incarnation };
    const gone = { id, user, details, packed, index: owner };
    const finding: Finding = { fault: 'missing_index', act: 'restore', owner, gone };
    const remedy = { act: 'limit', id, ttl: details.ttl, finding } as const;
    found.push({ fault: 'no_ttl', member: id, id, user, key: keys.session(id), node: owner.name, remedy });
  }
  const withRole = [...foreign.filter(({ ttl }) => ttl !== null), ...own].filter(({ role }) => role !== null);
  const ends = await store.attempt<number>(withRole.map(({ id }) => ['PTTL', keys.role(id)]));
  for (const [i, { id, user, details }] of withRole.entries()) {
    if (ends[i] instanceof WssessError || ends[i] !== -1) continue;
    const node = details?.node ?? null;
    found.push({ fault: 'no_ttl', member: id, id, user, key: keys.role(id), node, remedy: { act: 'bound', id } });
  }
  return found;
}

/** Members of the set of all that can't be a session's, and keys behind which no session can be. */
export async function lookAtBad(
  members: readonly string[],
  { store, keys }: Pick<Floor, 'store' | 'keys'>,
  set: string,
): Promise<Found[]> {
  const held = members.filter((id) => !isUsableId(id));
  if (held.length === 0) return [];
  const [listed, behind] = [
    await store.batch<number>(held.map((id) => ['SISMEMBER', set, id])),
    await store.batch<number>(held.map((id) => ['EXISTS', keys.session(id)])),
  ];
  return held.flatMap((id, i) => {
    // One that isn't UTF-8 can't even be named.
    const isUnnamed = listed[i] === 0;
    if (isUnnamed && !id.includes('\ufffd')) return [];
    const isKept = isUnnamed || behind[i] === 1;
    return [badId(id, set, id, isKept ? { act: 'hand', with: 'member' } : { act: 'scrub', set, id })];
  });
}
