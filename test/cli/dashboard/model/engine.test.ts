/** The model on the embedded store, with a node that answers: from the first frame to a kick, and Redis gone and back. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Intent } from '../../../../src/cli/dashboard/model/actions.ts';
import { startEngine } from '../../../../src/cli/dashboard/model/engine.ts';
import {
  detailsView,
  gaugesView,
  headView,
  outcomesView,
  tableView,
  tabsView,
} from '../../../../src/cli/dashboard/model/selectors.ts';
import { initialState, type State } from '../../../../src/cli/dashboard/model/state.ts';
import { createStore, type Store } from '../../../../src/cli/dashboard/model/store.ts';
import { WssessError } from '../../../../src/common/errors.ts';
import type { Handlers } from '../../../../src/sessions/control.ts';
import { openSessions, type Sessions } from '../../../../src/sessions/sessions.ts';
import { connect } from '../../../../src/store/connect.ts';
import type { Embedded } from '../../../../src/store/embedded/server.ts';
import { PASSWORD, startStore } from '../../../helpers/embedded.ts';
import { INCARNATION, makeDetails, meddle, nodeInfo } from '../../../helpers/floor.ts';
import { until, within } from '../../../helpers/wait.ts';
import { SETTING } from './world.ts';

let redis: Embedded;
let node: Sessions;
let sessions: Sessions;
let store: Store;
let end: AbortController;
let done: Promise<void>;
let endListening: () => void;
let renewing: NodeJS.Timeout;

const open = async (port: number) =>
  openSessions(
    await connect({
      url: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
      source: 'test',
      timeout: 2000,
      lasting: true,
    }),
    'ws',
  );
const details = (user: string, i: number, over = {}) =>
  makeDetails({ user, connectedAt: Date.now() - 60_000 - i * 1000, ...over });

/** What the node does when it is asked: it really unregisters what it kicks. */
const handlers: Handlers = {
  async kick({ sessions: ids }) {
    const results = [];
    for (const id of ids) {
      const session = await node.directory.get(id);
      if (session?.details) await node.registry.unregister(id, session.user, session.details);
      results.push({ session_id: id, outcome: session ? ('kicked' as const) : ('already_gone' as const) });
    }
    return results;
  },
  async describe({ sessions: ids }) {
    return ids.map((session_id) => ({
      session_id,
      idle_ms: 3000 + 60_000 * (Number(session_id.slice(1)) || 0),
      subscriptions: 2,
      destinations: ['/topic/a'],
      recv_cnt: 7,
      send_cnt: 9,
      recv_oct: 70,
      send_oct: 90,
    }));
  },
};

beforeEach(async () => {
  redis = await startStore();
  node = await open(redis.port);
  await node.nodes.hold(nodeInfo());
  renewing = setInterval(() => void node.nodes.hold(nodeInfo()).catch(() => {}), 1000);
  endListening = await node.control.listen(INCARNATION, handlers, () => {});
  sessions = await open(redis.port);
});

afterEach(async () => {
  end?.abort();
  await within(done ?? Promise.resolve(), 10_000, 'the engine to end');
  clearInterval(renewing);
  endListening();
  node.store.close();
  sessions.store.close();
  await redis.close();
});

function begin(over: Partial<State> = {}, on: Sessions = sessions): void {
  store = createStore({ ...initialState(SETTING, { now: Date.now() }), height: 5, ...over });
  end = new AbortController();
  done = startEngine({ store, sessions: on, foreignTtl: 86_400_000, signal: end.signal }).done;
}

const press = (...intents: Intent[]) => {
  for (const intent of intents) store.dispatch(intent);
};
const type = (text: string) => press(...[...text].map((char): Intent => ({ type: 'text', text: char })));
const shown = () =>
  tableView(store.get()).rows.map((row) => `${row?.cursor ? '>' : ''}${row?.gone ? 'x' : ''}${row?.key}`);
const sees = (...rows: string[]) => until(() => shown().join() === rows.join(), 10_000, rows.join());
const fill = async (count: number) => {
  for (let i = 0; i < count; i++) await node.registry.register(`s${i}`, details(i % 2 === 0 ? 'ann' : 'bob', i));
};

test('frames, what nodes know, details, and the way back', async () => {
  await fill(8);
  begin();
  await sees('>s0', 's1', 's2', 's3', 's4');
  expect(headView(store.get())).toMatchObject({ link: { text: 'live' }, nodes: '1 node' });
  expect(gaugesView(store.get())[0]).toMatchObject({ name: 'SESSIONS', text: '8' });
  await until(() => tableView(store.get()).rows[0]?.cells.subs?.text === '2');
  expect(tableView(store.get()).rows[0]!.cells.idle!.text).toBe('3s');
  press({ type: 'open' });
  await until(() => detailsView(store.get())?.fields.some(({ value }) => value.text === '/topic/a'));
  press({ type: 'back' }, { type: 'edge', to: 'last' });
  await sees('s3', 's4', 's5', 's6', '>s7');
});

test('a filter: a user is looked up, a word is walked for; esc leads back', async () => {
  await fill(6);
  await node.registry.register('other', details('carl', 9, { userAgent: 'Firefox' }));
  begin();
  await sees('>s0', 's1', 's2', 's3', 's4');
  press({ type: 'prompt', kind: 'filter' });
  type('user:ann');
  await sees('>s0', 's2', 's4');
  await until(() => tabsView(store.get()).count === '3 of 7');
  press({ type: 'erase', what: 'line' });
  type('firefox');
  await sees('>other');
  press({ type: 'accept' }, { type: 'back' });
  await sees('>s0', 's1', 's2', 's3', 's4');
});

test('a word and a user that are the name of a key of another type: nothing of that key, and it comes to its end', async () => {
  await fill(3);
  await node.store.call('RPUSH', 'ws:user:s1', 'a list');
  begin();
  await sees('>s0', 's1', 's2');
  press({ type: 'prompt', kind: 'filter' });
  type('s1');
  await until(() => tabsView(store.get()).count === '1 of 3');
  press({ type: 'erase', what: 'line' });
  type('user:s1');
  await until(() => tabsView(store.get()).count === '0 of 3');
  press({ type: 'accept' }, { type: 'back' }, { type: 'prompt', kind: 'filter' });
  type('user:s1');
  press({ type: 'accept' }, { type: 'markAll' });
  await until(() => store.get().gathering === null);
  expect(store.get().note).toBeNull();
});

test('a walk that fails says why', async () => {
  await fill(3);
  const failing = {
    getAll: async () => ({ sessions: [], skipped: 0 }),
    sessionsOf: async () => ({ sessions: [], skipped: 0 }),
    walk() {
      throw new WssessError('redis_refused', 'Redis is loading');
    },
  };
  begin({}, { ...sessions, directory: failing as unknown as Sessions['directory'] });
  await sees('>s0', 's1', 's2');
  press({ type: 'prompt', kind: 'filter' });
  type('chrome');
  await until(() => store.get().note?.text.includes('Redis is loading'));
});

test('by idle time: the nodes are asked while it is walked', async () => {
  await fill(6);
  begin();
  await sees('>s0', 's1', 's2', 's3', 's4');
  press({ type: 'sort' });
  await sees('>s5', 's4', 's3', 's2', 's1');
  expect(tableView(store.get()).rows[0]!.cells.idle!.text).toBe('5m3s');
});

test('a node that does not answer is named, and what is known stays', async () => {
  await fill(2);
  endListening();
  begin();
  await until(() => headView(store.get()).why === 'n1 does not answer: what only nodes know is missing');
  expect(tableView(store.get()).rows[0]!.cells).toMatchObject({ idle: { text: '-' }, user: { text: 'ann' } });
});

test('where Redis takes no requests, that is said once, and the columns stay unknown', async () => {
  await fill(2);
  const refusing = meddle(sessions.store, 'run', (script: { name: string }) => {
    if (script.name === 'request') throw new WssessError('redis_denied', 'no right to write');
  });
  begin({}, { ...sessions, store: refusing });
  await until(() => store.get().asked.denied);
  expect(store.get().note?.text).toContain('takes no requests');
  expect(headView(store.get()).why).toBe('');
  press({ type: 'move', by: 1 });
  expect(store.get().note).toBeNull();
});

test('a kick of many is stopped before its next page, and says what was not done', async () => {
  const asked: number[] = [];
  endListening();
  const slowly: Handlers = {
    ...handlers,
    async kick(asks) {
      asked.push(asks.sessions.length);
      press({ type: 'stop' });
      return handlers.kick(asks);
    },
  };
  endListening = await node.control.listen(INCARNATION, slowly, () => {});
  await fill(150);
  begin();
  await until(() => shown()[0] === '>s0');
  press({ type: 'markAll' });
  await until(() => store.get().marks.size === 150);
  press({ type: 'kick' }, { type: 'focus', by: 1 }, { type: 'accept' });
  await until(() => store.get().work?.phase === 'done');
  expect(asked).toEqual([100]);
  expect(outcomesView(store.get())!.title).toBe('Kicked 100 of 150 sessions');
  expect(store.get().marks.size).toBe(50);
});

test('marks, a kick with its outcomes, and the rows gone', async () => {
  await fill(4);
  begin();
  await sees('>s0', 's1', 's2', 's3');
  press({ type: 'mark' }, { type: 'move', by: 1 }, { type: 'mark' }, { type: 'kick' });
  await node.registry.unregister('s2', 'ann', (await node.directory.get('s2'))!.details!);
  press({ type: 'focus', by: 1 }, { type: 'accept' });
  await until(() => store.get().work?.phase === 'done');
  const { title, rows } = outcomesView(store.get())!;
  expect(title).toBe('Kicked 1 of 2 sessions');
  expect(rows.map(({ session, outcome }) => `${session} ${outcome.text}`)).toEqual(['s0 kicked', 's2 already_gone']);
  press({ type: 'back' });
  await sees('s1', '>s3');
  expect(store.get().marks.size).toBe(0);
});

test('all that match, and a refresh of them', async () => {
  await fill(12);
  begin();
  await sees('>s0', 's1', 's2', 's3', 's4');
  press({ type: 'markAll' });
  await until(() => store.get().marks.size === 12);
  const key = sessions.keys.session('s5');
  await node.store.call('PEXPIRE', key, 60_000);
  press({ type: 'refresh' }, { type: 'focus', by: 1 }, { type: 'accept' });
  await until(() => store.get().work?.phase === 'done');
  expect(outcomesView(store.get())!.title).toBe('Refreshed 12 of 12 sessions');
  expect(await node.store.call<number>('PTTL', key)).toBeGreaterThan(3_600_000);
});

test('400 entries of a killed node at the top of the index: the living ones are shown, and G and g go to them', async () => {
  await fill(30);
  const dead = Array.from({ length: 400 }, (_, i) => `dead${i}`);
  const soon = Date.now();
  await node.store.call('ZADD', 'ws:x:newest', ...dead.flatMap((id, i) => [soon + i, id]));
  await node.store.call('SADD', 'ws:sessions:all', ...dead);
  begin();
  await sees('>s0', 's1', 's2', 's3', 's4');
  press({ type: 'edge', to: 'last' });
  await sees('s25', 's26', 's27', 's28', '>s29');
  press({ type: 'page', by: -1 });
  await sees('s20', 's21', 's22', 's23', '>s24');
  press({ type: 'edge', to: 'first' });
  await sees('>s0', 's1', 's2', 's3', 's4');
  await until(() => gaugesView(store.get())[1]!.text === '~2');
  expect(tabsView(store.get()).count).toBe('30');
  await node.registry.register('new', details('eve', 0, { connectedAt: soon + 1000 }));
  await until(() => tabsView(store.get()).count === '31');
  press({ type: 'edge', to: 'first' });
  await sees('>new', 's0', 's1', 's2', 's3');
  press({ type: 'move', by: 1 });
  await sees('new', '>s0', 's1', 's2', 's3');
});

test('sessions that no node wrote are found and counted', async () => {
  await fill(1);
  begin();
  await node.store.call('SET', 'ws:session:hand', 'zoe', 'EX', 3600);
  await node.store.call('SADD', 'ws:user:zoe', 'hand');
  await node.store.call('SADD', 'ws:sessions:all', 'hand');
  await sees('>s0', 'hand');
  expect(gaugesView(store.get()).at(-1)).toMatchObject({ name: 'FOREIGN', text: '1' });
  await node.store.call('DEL', 'ws:session:hand');
  await node.store.call('SREM', 'ws:sessions:all', 'hand');
  await sees('>s0');
});

describe('Redis', () => {
  test('stopped and started: stale since, then live by itself with the same row under the cursor', async () => {
    await fill(4);
    begin();
    await sees('>s0', 's1', 's2', 's3');
    press({ type: 'move', by: 2 }, { type: 'mark' }, { type: 'move', by: -1 });
    const { port } = redis;
    await redis.close();
    await until(() => store.get().link.state === 'stale');
    expect(headView(store.get()).link.text).toMatch(/^stale since \d\d:\d\d:\d\d$/);
    expect(shown()).toEqual(['s0', 's1', '>s2', 's3']);
    redis = await startStore({ port });
    const again = await open(port);
    await again.nodes.hold(nodeInfo());
    for (let i = 0; i < 4; i++) await again.registry.register(`s${i}`, details('ann', i));
    await until(() => store.get().link.state === 'live');
    await sees('s0', 's1', '>s2', 's3');
    expect([...store.get().marks.keys()]).toEqual(['s2']);
    again.store.close();
  });

  test('when it ends, it asks nothing more', async () => {
    await fill(4);
    begin();
    await sees('>s0', 's1', 's2', 's3');
    press({ type: 'prompt', kind: 'filter' });
    type('s');
    end.abort();
    await within(done);
    const calls = async () => /^total_commands_processed:(\d+)/m.exec(await node.store.call<string>('INFO'))?.[1];
    const before = Number(await calls());
    await new Promise((wake) => setTimeout(wake, 700));
    expect(Number(await calls()) - before).toBeLessThanOrEqual(1);
  });
});
