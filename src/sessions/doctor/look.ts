/** Looks at one subject, whatever it is: again and again gives the same while nothing changes. Reads only. */
import { isUsableId } from '../model.ts';
import type { Sessions } from '../sessions.ts';
import { Examiner } from '../sweep/examine.ts';
import type { Found, Subject } from './fault.ts';
import { badId, type Looked, lookAtBad, lookAtIds, ofFinding } from './ids.ts';
import { Memory } from './memory.ts';
import { lookAtTypes } from './types.ts';
import { lookAtUsers } from './users.ts';

export class Look {
  readonly #floor: Sessions;
  readonly #examiner: Examiner;
  readonly memory: Memory;

  constructor(floor: Sessions) {
    this.#floor = floor;
    this.#examiner = new Examiner(floor);
    this.memory = new Memory(floor, this.#examiner);
  }

  /** @throws WssessError when Redis fails */
  async at(subject: Subject): Promise<Looked> {
    const { members } = subject;
    if (members.length === 0) return { found: [], sessions: 0, endless: 0 };
    switch (subject.what) {
      case 'ids':
        return lookAtIds(members, this.#floor, this.#examiner);
      case 'all': {
        const looked = await lookAtIds(members.filter(isUsableId), this.#floor, this.#examiner);
        const bad = await lookAtBad(members, this.#floor, this.#floor.keys.all);
        return { ...looked, found: [...looked.found, ...bad] };
      }
      case 'users':
        return only(await this.#atUsers(members));
      case 'types':
        return only(await lookAtTypes(members, this.#floor));
      case 'keys':
        return only(await this.#atKeys(members));
      case 'own':
        return only(await this.#atOwn(subject));
      case 'newest':
        return only(await this.#badOf(this.#floor.keys.newest, members));
      case 'held':
        return only(await this.memory.lookAtHeld(subject.process, members));
      case 'claimed':
        return only(await this.memory.lookAtClaimed(subject.process, members));
    }
  }

  async #atUsers(users: readonly string[]): Promise<Found[]> {
    const { found, lost } = await lookAtUsers(users, this.#floor);
    const { directory, keys, store } = this.#floor;
    if (lost.length === 0) return found;
    // Those that the set of all holds were looked at there.
    const listed = await store.call<number[]>('SMISMEMBER', keys.all, ...lost);
    const unlisted = lost.filter((_, i) => listed[i] === 0);
    const { traces } = await directory.inspect(unlisted);
    const userOf = new Map(traces.map(({ id, details }) => [id, details?.user]));
    const looked = await lookAtIds(unlisted, this.#floor, this.#examiner);
    return [...found, ...looked.found.map((one) => ({ ...one, member: userOf.get(one.member) ?? one.member }))];
  }

  /** Keys that look like a session's and can't be. */
  async #atKeys(keys: readonly string[]): Promise<Found[]> {
    const there = await this.#floor.store.batch<number>(keys.map((key) => ['EXISTS', key]));
    return keys.flatMap((key, i) => {
      const isNamed = there[i] === 1 || key.includes('\ufffd');
      const id = this.#floor.keys.parse(key);
      return isNamed && id?.of !== 'user' ? [badId(id?.name ?? null, key, key, { act: 'hand', with: 'key' })] : [];
    });
  }

  /** Entries of the index of a process that are another's; all of them where the process is dead. */
  async #atOwn({ members, process }: Extract<Subject, { what: 'own' }>): Promise<Found[]> {
    const { store, keys, directory, nodes } = this.#floor;
    const isAlive = (await nodes.living([process.name])).get(process.name) === process.incarnation;
    const index = keys.own(process.incarnation);
    const scores = await store.call<(string | null)[]>('ZMSCORE', index, ...members);
    const there = members.filter((id, i) => scores[i] !== null && isUsableId(id));
    const { traces } = await directory.inspect(there);
    const seen = new Map(traces.map((trace) => [trace.id, trace]));
    const bad = await this.#badOf(index, members);
    const others = there.flatMap((id): Found[] => {
      const { user = null, details = null, packed = '' } = seen.get(id) ?? {};
      const gone = { id, user: user ?? '', details, packed };
      const isIts = details?.incarnation === process.incarnation;
      if (isAlive) {
        if (!details || isIts) return [];
        return [ofFinding({ fault: 'orphan_index', act: 'unindex', index, gone }, this.#floor)];
      }
      const fault = !isIts && user !== null ? 'orphan_index' : user === null ? 'expired_id' : 'ghost';
      const key = fault === 'ghost' ? keys.session(id) : index;
      const remedy = { act: 'bury', process } as const;
      return [{ fault, member: id, id, user: user ?? details?.user ?? null, key, node: process.name, remedy }];
    });
    return [...bad, ...others];
  }

  /** Entries of an index that can be no session's; one that isn't UTF-8 can't be named, and so not be taken out. */
  async #badOf(index: string, members: readonly string[]): Promise<Found[]> {
    const bad = members.filter((id) => !isUsableId(id));
    if (bad.length === 0) return [];
    const scores = await this.#floor.store.call<(string | null)[]>('ZMSCORE', index, ...bad);
    return bad.flatMap((id, i) => {
      if (scores[i] !== null) return [badId(id, index, id, { act: 'drop', index, id })];
      return id.includes('\ufffd') ? [badId(id, index, id, { act: 'hand', with: 'member' })] : [];
    });
  }
}

const only = (found: Found[]): Looked => ({ found, sessions: 0, endless: 0 });
