/** Every client that people use, in each of its ways, doing what all of them do. */
import { describe, expect, it } from 'vitest';
import { KINDS } from '../helpers/kinds.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';
import { scenariosFor } from './scenarios/all.ts';
import { play, type World } from './scenarios/scenario.ts';

const USER = { userId: 'cust01', userRole: 'AGENT' };

const served = serveForFile(['--node', 'clients', '--send-roles', 'AGENT']);
let destinations = 0;

describe.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', (_, { version, bytes = false, cuts, connect }) => {
  const world: World = {
    version,
    user: USER.userId,
    beyond: cuts ? '' : '😀',
    connect: () => connect(served.ws, { ...USER }),
    topic: () => `/topic/t${++destinations}`,
    queue: () => `/queue/q${++destinations}`,
  };

  for (const scenario of scenariosFor(version, bytes)) it(scenario.name, () => play(scenario, world));

  it('of repeated headers the first counts', async () => {
    const [client, sender] = [await world.connect(), await talk(served.ws, 'kim')];
    const values: (string | undefined)[] = [];
    const subscribed = client.receipt('sub');
    client.subscribe('/topic/repeated', ({ headers }) => values.push(headers.color), { receipt: 'sub' });
    await subscribed;
    sender.send('SEND\ndestination:/topic/repeated\ncolor:red\ncolor:blue\n\n\0');
    await until(() => values.length === 1);
    expect(values).toEqual(['red']);
  });
});
