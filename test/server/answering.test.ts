/** What a node lists of its sessions when it is asked: each registered one, once, in order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '../../src/common/ids.ts';
import type { Connection } from '../../src/server/connection/connection.ts';
import { answering } from '../../src/server/membership/answering.ts';

/** Handlers of a node that has these sessions. */
function nodeWith(sessions: readonly [id: string, state: Connection['state']][], logged: string[] = []) {
  const connections = new Map(
    sessions.map(([id, state]) => {
      const connection = { id, state, user: `user of ${id}`, end: async () => (connection.state = 'closed') };
      return [id, connection as unknown as Connection];
    }),
  );
  const never = async (): Promise<never> => {
    throw new Error('not asked for');
  };
  return answering({
    connections,
    destinationsOf: () => [],
    forgetGhost: async () => {},
    rewrite: never,
    drain: never,
    log: { info: (message) => void logged.push(message) },
  });
}

async function listAll(node: ReturnType<typeof nodeWith>, limit: number): Promise<{ ids: string[]; pages: number[] }> {
  const ids: string[] = [];
  const pages: number[] = [];
  for (let after = ''; ; after = ids.at(-1)!) {
    const page = await node.list!({ after, limit });
    pages.push(page.length);
    ids.push(...page.map(({ session_id }) => session_id));
    if (page.length < limit) return { ids, pages };
  }
}

test('a list goes through all sessions that are open, page by page, whatever order they came in', async () => {
  const anyId = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('-', '0', 'A', '_', 'a', 'z') });
  const run = fc.asyncProperty(
    fc.uniqueArray(anyId, { maxLength: 60 }),
    fc.integer({ min: 1, max: 7 }),
    async (ids, limit) => {
      const { ids: listed, pages } = await listAll(nodeWith(ids.map((id) => [id, 'open'])), limit);
      expect(listed).toEqual([...ids].sort());
      expect(Math.max(...pages)).toBeLessThanOrEqual(limit);
    },
  );
  await fc.assert(run);
});

test('who is coming or going is not listed; the user is told', async () => {
  const node = nodeWith([
    ['b', 'connecting'],
    ['a', 'closed'],
    ['c', 'open'],
    ['d', 'waiting'],
  ]);
  expect(await node.list!({ after: '', limit: 500 })).toEqual([{ session_id: 'c', user: 'user of c' }]);
});

test('a kick is a line in the log, with its action: of one session who it was, of many how many', async () => {
  const logged: string[] = [];
  const sessions = ['a', 'b"\n', 'c', 'd', 'e'].map((id): [string, Connection['state']] => [
    id,
    id === 'e' ? 'closed' : 'open',
  ]);
  const node = nodeWith(sessions, logged);
  const kick = (action_id: string, ...ids: string[]) => node.kick({ sessions: ids, action_id, reason: 'secret' });
  await kick('01A', 'b"\n', 'nobody', 'e');
  await kick('01B', 'a', 'c', 'd', 'a');
  expect(await kick('01C', 'a')).toEqual([{ session_id: 'a', outcome: 'already_gone' }]);
  expect(logged).toEqual([
    String.raw`kick by action 01A: ended session "b\"\n" of "user of b\"\n"`,
    'kick by action 01B: ended 3 sessions',
    'kick by action 01C: ended no sessions',
  ]);
});

test('of many, a page holds the first ones', async () => {
  const ids = Array.from({ length: 5000 }, () => newId());
  const { ids: listed } = await listAll(nodeWith(ids.map((id) => [id, 'open'])), 500);
  expect(listed).toEqual([...ids].sort());
});
