/** The rights that docs/keys.md names for who only looks are enough for all that only looks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countAll } from '../../src/sessions/stats.ts';
import { survey } from '../../src/sessions/survey.ts';
import { faultOf, makeDetails, nodeInfo, openFloor, writeByHand } from '../helpers/floor.ts';
import { describeWithRedis, startRedis } from '../helpers/redis.ts';

const KEYS_PAGE = readFileSync(join(import.meta.dirname, '../../docs/keys.md'), 'utf8');

describeWithRedis('a user of Redis that only looks', () => {
  test('lists, counts, and sees frames; and may not write', async () => {
    const redis = await startRedis();
    try {
      const rights = /`(\+@read [^`]*~ws:\*)`/.exec(KEYS_PAGE)![1]!.split(' ');
      await redis.client.call('ACL', 'SETUSER', 'viewer', 'on', '>secret', ...rights);
      const owner = await openFloor(redis);
      await owner.nodes.hold(nodeInfo());
      await owner.registry.register('s1', makeDetails());
      await writeByHand(redis, 'f1', 'lee');
      owner.store.close();

      const viewer = await openFloor({ url: redis.url.replace('redis://', 'redis://viewer:secret@') });
      try {
        const window = { top: 0, rows: 10, oldestFirst: false, keep: { id: 's1', score: 1, row: 0 } };
        const frame = await viewer.overview.frame({ sessions: window, users: window, look: ['f1'] });
        expect(frame).toMatchObject({ listed: 2, own: 1, users: 1 });
        expect([frame.sessions!.rows.length, frame.userRows!.rows.length, frame.looked.size]).toEqual([1, 1, 1]);
        for await (const progress of survey(viewer)) if (progress.done) expect(progress.foreign).toBe(1);
        expect((await countAll(viewer)).sessions).toBe(2);
        expect((await viewer.directory.newest(5)).length).toBe(1);
        expect((await viewer.directory.sessionsOf('lee')).sessions.length).toBe(1);
        expect((await faultOf(viewer.registry.register('s2', makeDetails()))).code).toBe('redis_denied');
      } finally {
        viewer.store.close();
      }
    } finally {
      await redis.stop();
    }
  });
});
