/** Selections: within a field one value must fit, and every field that is given. */
import { describe, expect, test } from 'vitest';
import type { Directory, Page } from '../../src/sessions/directory.ts';
import type { Session } from '../../src/sessions/model.ts';
import { find, findAll, isSelective, matches, type Selection } from '../../src/sessions/selection.ts';
import { makeDetails } from '../helpers/floor.ts';

const session = (id: string, user: string, role: string | null, node: string | null): Session => ({
  id,
  user,
  role,
  ttl: 1000,
  details: node === null ? null : makeDetails({ node, user, role }),
  packed: '',
});

const ALL = [
  session('a', 'kim', 'AGENT', 'n1'),
  session('b', 'kim', null, 'n2'),
  session('c', 'lee', 'CUSTOMER', 'n1'),
  session('d', '__proto__', 'constructor', 'n2'),
  session('foreign', 'lee', null, null),
];

/** A Directory that only knows these sessions, and what it was asked. */
function stub() {
  const asked: string[] = [];
  const page = (sessions: Session[]): Page => ({ sessions, skipped: 1 });
  const directory = {
    async getAll(ids: string[]) {
      asked.push(`ids ${ids.join()}`);
      return page(ALL.filter(({ id }) => ids.includes(id)));
    },
    async sessionsOf(user: string) {
      asked.push(`user ${user}`);
      return page(ALL.filter((one) => one.user === user));
    },
    async *walk() {
      asked.push('walk');
      yield page(ALL.slice(0, 3));
      yield page(ALL.slice(3));
    },
  } as unknown as Directory;
  return { directory, asked };
}

const picked = (selection: Selection) => ALL.filter(matches(selection)).map(({ id }) => id);

describe('matches', () => {
  test.each<[Selection, string[]]>([
    [{}, ['a', 'b', 'c', 'd', 'foreign']],
    [{ users: ['kim'] }, ['a', 'b']],
    [{ users: ['kim', 'lee'] }, ['a', 'b', 'c', 'foreign']],
    [{ users: ['kim'], roles: ['AGENT'] }, ['a']],
    [{ roles: ['AGENT', 'CUSTOMER'] }, ['a', 'c']],
    [{ nodes: ['n1'] }, ['a', 'c']],
    [{ nodes: ['n1'], users: ['lee'] }, ['c']],
    [{ ids: ['a', 'c', 'unknown'] }, ['a', 'c']],
    [{ ids: ['a', 'c'], users: ['lee'] }, ['c']],
    [{ except: ['a', 'foreign'] }, ['b', 'c', 'd']],
    [{ ids: ['a', 'b'], except: ['a'] }, ['b']],
    [{ nodes: ['(foreign)'] }, ['foreign']],
    [{ nodes: ['(foreign)', 'n2'] }, ['b', 'd', 'foreign']],
    [{ roles: ['(none)'] }, ['b', 'foreign']],
    [{ roles: ['(none)'], nodes: ['n2'] }, ['b']],
    [{ users: ['KIM'] }, []],
    [{ users: ['ki'] }, []],
    [{ users: ['__proto__'] }, ['d']],
    [{ roles: ['constructor'] }, ['d']],
    [{ roles: ['toString'] }, []],
    [{ users: [] }, []],
    [{ ids: [] }, []],
    [{ ids: undefined, users: undefined }, ['a', 'b', 'c', 'd', 'foreign']],
  ])('%j', (selection, ids) => {
    expect(picked(selection)).toEqual(ids);
  });
});

describe('isSelective', () => {
  test.each<[Selection, boolean]>([
    [{}, false],
    [{ users: undefined }, false],
    [{ except: ['a'] }, false],
    [{ ids: [] }, true],
    [{ users: ['kim'] }, true],
    [{ roles: ['AGENT'] }, true],
    [{ nodes: ['n1'] }, true],
  ])('%j: %s', (selection, selective) => expect(isSelective(selection)).toBe(selective));
});

describe('find', () => {
  test.each<[string, Selection, string[], string[]]>([
    ['ids are looked up', { ids: ['a', 'c'] }, ['ids a,c'], ['a', 'c']],
    ['ids are looked up, and must fit the rest', { ids: ['a', 'c'], users: ['lee'] }, ['ids a,c'], ['c']],
    ['no ids are no sessions, not all', { ids: [] }, ['ids '], []],
    [
      'users are looked up, each once',
      { users: ['kim', 'lee', 'kim'] },
      ['user kim', 'user lee'],
      ['a', 'b', 'c', 'foreign'],
    ],
    [
      'users are looked up, and must fit the rest',
      { users: ['kim', 'lee'], nodes: ['n1'], except: ['a'] },
      ['user kim', 'user lee'],
      ['c'],
    ],
    ['no users are no sessions, not all', { users: [] }, [], []],
    ['anything else walks', { roles: ['CUSTOMER'] }, ['walk'], ['c']],
    ['nothing walks', {}, ['walk'], ['a', 'b', 'c', 'd', 'foreign']],
  ])('%s', async (_, selection, asks, ids) => {
    const { directory, asked } = stub();
    const { sessions, skipped } = await findAll(directory, selection);
    expect(asked).toEqual(asks);
    expect(sessions.map(({ id }) => id)).toEqual(ids);
    const pages: Page[] = [];
    for await (const page of find(stub().directory, selection)) pages.push(page);
    expect(pages.flatMap((page) => page.sessions.map(({ id }) => id))).toEqual(ids);
    expect(skipped).toBe(pages.length); // each page of the stub skipped one
  });
});
