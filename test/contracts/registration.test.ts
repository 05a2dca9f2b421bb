/** What a registration that was refused leaves behind: nothing, and what it found stays. */
import { beforeEach, expect, test } from 'vitest';
import { type Owner, Registration } from '../../src/server/membership/registration.ts';
import { dump, faultOf, HOUR, makeDetails, nodeInfo, OTHER_INCARNATION, writeByHand } from '../helpers/floor.ts';
import { contract } from './stores.ts';

contract('A registration whose id is taken', (f) => {
  const owner = (): Owner => ({
    sessions: f,
    lease: { renew: async () => {} },
    maxUserSessions: 0,
    acceptUnregistered: false,
    registered: () => {},
    expired: () => {},
    ended: () => {},
    taken: () => {},
    refused: () => {},
    behind: () => {},
    left: () => {},
    lastSign: () => performance.now(),
    fault: (error) => {
      throw error;
    },
  });

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', HOUR);
  });

  test.each([
    ['by a foreign session', () => writeByHand(f.redis, 's1', 'kim')],
    ['by a foreign session of another user', () => writeByHand(f.redis, 's1', 'lee')],
    [
      'by a session of another node',
      async () => {
        await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
        await f.registry.register('s1', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION }));
      },
    ],
  ])('%s: its close removes nothing', async (_, take) => {
    await take();
    const before = await dump(f.redis);
    const registration = new Registration('s1', makeDetails(), owner());
    expect((await faultOf(registration.open())).code).toBe('session_taken');
    await registration.close();
    expect(await dump(f.redis)).toEqual(before);
  });
});
