/** What the panes are given. */
import { describe, expect, test } from 'vitest';
import type { Action } from '../../../../src/cli/dashboard/model/actions.ts';
import { reduce } from '../../../../src/cli/dashboard/model/reducer.ts';
import { perSecond } from '../../../../src/cli/dashboard/model/select/text.ts';
import {
  barsView,
  confirmView,
  detailsView,
  footerView,
  gaugesView,
  headView,
  modeOf,
  outcomesView,
  progressView,
  promptView,
  tableView,
  tabsView,
} from '../../../../src/cli/dashboard/model/selectors.ts';
import type { State } from '../../../../src/cli/dashboard/model/state.ts';
import { afterFrame, foreignSession, NOW, node, opened, SETTING, session, start, World } from './world.ts';

const press = (state: State, ...actions: Action[]) => actions.reduce(reduce, state);
const cells = (state: State, row = 0) => {
  const all = tableView(state).rows[row]?.cells ?? {};
  return Object.fromEntries(
    Object.entries(all).map(([name, { text, tone }]) => [name, tone === 'plain' ? text : `${text} ${tone}`]),
  );
};
const HOSTILE = 'a\x1b[31m\n\u202eb';

describe('the head', () => {
  test('which Redis, how fast, how many nodes, and the time', () => {
    const { state } = opened(3);
    expect(headView(state)).toEqual({
      where: '127.0.0.1:6379',
      took: '0.4 ms',
      nodes: '1 node',
      access: '',
      link: { text: 'live', tone: 'good' },
      why: '',
      clock: new Date(NOW).toTimeString().slice(0, 8),
    });
    expect(headView(start())).toMatchObject({ took: '', nodes: '', link: { text: 'connecting' } });
    expect(headView(start({ setting: { ...SETTING, readOnly: true } })).access).toBe('read-only');
  });

  test('stale, and why; nodes that do not answer', () => {
    const { state } = opened(3);
    const stale = reduce(state, { type: 'fault', at: NOW + 9000, why: 'Redis is gone\x1b', advice: 'Start it.' });
    const since = new Date(NOW).toTimeString().slice(0, 8);
    expect(headView(stale)).toMatchObject({
      link: { text: `stale since ${since}`, tone: 'bad' },
      why: 'Redis is gone\\x1b. Start it.',
    });
    const silent = reduce(state, { type: 'said', at: NOW, said: new Map(), silent: ['n1', 'n2'], denied: false });
    expect(headView(silent).why).toBe('n1, n2 do not answer: what only nodes know is missing');
  });
});

test('figures, bars and what is foreign', () => {
  const world = new World();
  const counted = (seconds: number, connects: number) => ({
    seenAt: NOW + seconds * 1000,
    connects,
    disconnects: connects / 2,
    kicks: connects / 10,
    messages_in: 1,
    messages_out: connects * 330,
  });
  world.add(session('a'), session('b'), foreignSession('f'));
  world.nodes = [
    node('n1', { ...counted(0, 0), sessions: 10 }),
    node('n2', { sessions: 40, incarnation: 'other' }),
    node('n3', { alive: false }),
  ];
  let state = afterFrame(start(), world);
  expect(gaugesView(state).map(({ name, text }) => `${name} ${text}`)).toEqual([
    'SESSIONS 2',
    'USERS ~2',
    'IN -',
    'OUT -',
    'MSGS -',
    'KICKED -',
  ]);
  world.nodes[0] = node('n1', { ...counted(2, 20), sessions: 10 });
  state = press(state, { type: 'survey', at: NOW, foreign: 1, users: 0, orphans: 4, sample: [], ended: false });
  state = afterFrame(state, world, NOW + 2000);
  expect(gaugesView(state).map(({ name, text }) => `${name} ${text}`)).toEqual([
    'SESSIONS 7+',
    'USERS 2+',
    'IN 10/s',
    'OUT 5.0/s',
    'MSGS 3.3k/s',
    'KICKED 2',
    'FOREIGN 1+',
  ]);
  expect(gaugesView(state)[2]!.series).toEqual([null, 10]);
  expect(barsView(state)).toEqual([
    { node: 'n2', sessions: '40', share: 1, alive: true },
    { node: 'n1', sessions: '10', share: 0.25, alive: true },
    { node: 'n3', sessions: '0', share: 0, alive: false },
  ]);
});

test('what the indexes hold of dead sessions is not told as exact', () => {
  const { world } = opened(4);
  world.dead.add('s001');
  const state = afterFrame(start(), world);
  expect(state.sessions.total).toBe(4);
  expect(tabsView(state).count).toBe('3');
  const listed = { ...state, counts: { ...state.counts!, listed: 4 } };
  expect(gaugesView(listed)[1]!.text).toBe('~1');
  expect(tabsView(press(listed, { type: 'go', to: 'users' })).count).toBe('~0');
});

test('of many foreign sessions a sample is listed, and that is said; so is that their users are not', () => {
  const world = new World();
  world.nodes = [];
  const sample = Array.from({ length: 20 }, (_, i) => foreignSession(`f${String(i).padStart(2, '0')}`));
  const news = { type: 'survey', at: NOW, foreign: 2502, users: 40, orphans: 0, sample, ended: true } as const;
  const state = afterFrame(reduce(afterFrame(start(), world), news), world);
  expect(tabsView(state).count).toBe('20 of 2,502');
  expect(press(state, { type: 'edge', to: 'last' }).note?.text).toBe(
    'only 20 of 2,502 foreign sessions are listed: / with a filter looks through all',
  );
  expect(press(state, { type: 'edge', to: 'first' }).note).toBeNull();
  const users = afterFrame(press(state, { type: 'go', to: 'users' }), world);
  const others = '40 users of foreign sessions are not listed here: wssess ls --by user';
  expect(tableView(users).empty).toBe(others);
  expect(tabsView(users).count).toMatch(/^~?0 of 40$/);
  world.users = Array.from({ length: 3 }, (_, i) => ({ user: `u${i}`, sessions: 1, more: false, newestAt: NOW }));
  world.add(...world.users.map(({ user }) => session(`of-${user}`, { user })));
  const mixed = afterFrame(users, world);
  expect(tabsView(mixed).count).toMatch(/^~?3 of 43$/);
  expect(press(mixed, { type: 'edge', to: 'last' }).note?.text).toBe(others);
});

test('a foreign session that is kicked: what became of it, and what removes its keys', () => {
  const { state } = opened(1);
  const asked = press(state, { type: 'kick' }, { type: 'focus', by: 1 }, { type: 'accept' });
  const done = press(
    asked,
    { type: 'progress', serial: 1, actionId: 'a', outcomes: new Map([['s000', 'no_owner']]) },
    { type: 'worked', serial: 1, fault: null },
  );
  expect(footerView(done).note?.text).toMatch(/no_owner, .*wssess kick --purge removes its keys$/);
});

test('of the embedded store: it goes on with the next serve', () => {
  const { state } = opened(3, { setting: { ...SETTING, where: 'embedded 127.0.0.1:4242' } });
  const stale = reduce(state, { type: 'fault', at: NOW, why: 'gone', advice: 'Look at the address.' });
  expect(headView(stale).why).toBe('gone. This goes on when wssess serve runs again.');
});

test('rates are short', () => {
  expect([0, 0.44, 9.96, 11.2, 999.4, 3310, 123_456].map(perSecond)).toEqual([
    '0/s',
    '0.4/s',
    '10/s',
    '11/s',
    '999/s',
    '3.3k/s',
    '123k/s',
  ]);
});

describe('rows', () => {
  test('of a session: ages count on between the answers', () => {
    const { state } = opened(3);
    const live = {
      idle: 3000,
      subscriptions: 2,
      destinations: [],
      recvCount: 7,
      sendCount: 1204,
      recvOctets: 1,
      sendOctets: 2,
    };
    const said = reduce(state, {
      type: 'said',
      at: NOW,
      said: new Map([['s000', { live, at: NOW }]]),
      silent: [],
      denied: false,
    });
    const later = reduce(said, { type: 'tick', at: NOW + 7000 });
    expect(cells(later)).toEqual({
      session: 's000',
      user: 'kim',
      role: 'AGENT',
      node: 'n1',
      ip: '10.1.2.3',
      conn: '1m7s',
      idle: '10s',
      ttl: '23h59m',
      subs: '2',
      recv: '7',
      sent: '1,204',
      stomp: '1.2',
      agent: 'stompjs',
    });
    expect(cells(later, 1)).toMatchObject({ idle: '- dim', subs: '- dim' });
  });

  test('a node that drains is told from one that lives and one that is gone', () => {
    const world = new World();
    world.nodes = [
      node('n1'),
      node('n2', { incarnation: 'incarnation-0002', draining: true }),
      node('n3', { alive: false }),
    ];
    const state = reduce(afterFrame(start({ height: 9 }), world), { type: 'go', to: 'nodes' });
    expect([0, 1, 2].map((row) => cells(state, row).state)).toEqual(['alive good', 'draining aging', 'gone bad']);
  });

  test('what stands out: who just came, long idle, a TTL near its end or without one, a dead node, foreign', () => {
    const world = new World();
    world.add(
      session('new', { ago: 3 }),
      session('short', { ago: 20, ttl: 30_000 }),
      session('endless', { ago: 30, ttl: null }),
      session('dead', { ago: 40, node: 'n9' }),
      session('former', { ago: 50, incarnation: 'the process before' }),
    );
    const state = afterFrame(start({ height: 9 }), world);
    expect(cells(state, 0)).toMatchObject({ conn: '3s good' });
    expect(cells(state, 1)).toMatchObject({ ttl: '30s aging' });
    expect(cells(state, 2)).toMatchObject({ ttl: 'none aging' });
    expect(cells(state, 3)).toMatchObject({ node: 'n9 (dead) bad' });
    expect(tableView(state).rows.map((row) => row?.dead)).toEqual([false, false, false, true, true]);
    const found = reduce(state, {
      type: 'survey',
      at: NOW,
      foreign: 1,
      users: 1,
      orphans: 0,
      sample: [foreignSession('f')],
      ended: true,
    });
    world.add(foreignSession('f'));
    expect(cells(afterFrame(found, world), 5)).toMatchObject({
      node: '(foreign) dim',
      conn: '',
      idle: '',
      subs: '',
      ip: '',
    });
  });

  test('marks and outcomes', () => {
    const { state } = opened(3);
    const there = press(state, { type: 'mark' }, { type: 'kick' }, { type: 'focus', by: 1 }, { type: 'accept' });
    const done = press(
      there,
      { type: 'progress', serial: 1, actionId: 'a', outcomes: new Map([['s000', 'timeout']]) },
      { type: 'worked', serial: 1, fault: null },
    );
    expect(tableView(done).rows[0]).toMatchObject({ marked: true, outcome: { text: 'timeout', tone: 'bad' } });
    expect(footerView(done).note).toEqual({
      text: 's000 of kim: timeout, its node did not answer, and will not act on it any more',
      tone: 'bad',
    });
    expect(tabsView(done).marked).toBe('1 marked');
  });

  test('what is not at hand is an empty row; an empty table says why', () => {
    const { state } = opened(100);
    const far = { ...state, sessions: { ...state.sessions, first: state.sessions.lines.length - 2 } };
    expect(tableView(far).rows.map((row) => row?.key)).toEqual(['s008', 's009', undefined, undefined, undefined]);
    expect(tableView(start()).empty).toBe('waiting for Redis');
    const none = afterFrame(start(), new World());
    expect(tableView(none).empty).toBe('no sessions');
    expect(tableView(press(none, { type: 'go', to: 'users' })).empty).toBe('no users online');
  });

  test('of users and nodes', () => {
    const { state, world } = opened(3);
    world.users = [{ user: '상담원 김', sessions: 100, more: true, newestAt: NOW - 60_000 }];
    world.nodes = [node('n1', { cpu: null }), node('n2', { alive: false, seenAt: NOW - 9000 })];
    const users = afterFrame(press(state, { type: 'go', to: 'users' }), world);
    expect(cells(users)).toEqual({ user: '상담원 김', sessions: '100+', newest: '1m' });
    const nodes = press(users, { type: 'go', to: 'nodes' });
    expect(cells(nodes)).toMatchObject({
      node: 'n1',
      state: 'alive good',
      sessions: '3',
      loop: '12 ms',
      cpu: '- dim',
      rss: '118 MB',
      up: '1m',
      in: '- dim',
    });
    expect(cells(nodes, 1)).toMatchObject({
      node: 'n2 bad',
      state: 'gone bad',
      sessions: '',
      loop: '',
      seen: '9s bad',
    });
    expect(tabsView(nodes)).toMatchObject({ active: 'nodes', count: '2', filter: '' });
  });
});

test('the tabs line tells a partial result as partial', () => {
  const { state } = opened(100);
  const typing = press(state, { type: 'prompt', kind: 'filter' }, { type: 'text', text: 'zzz' });
  expect(tabsView(typing)).toMatchObject({ filter: 'zzz', count: '0 so far', partial: 'scanned 0 %' });
  const news = {
    type: 'scan',
    at: NOW,
    question: '["zzz","connected",false]',
    listed: 100,
    lines: [],
    said: new Map(),
  } as const;
  const half = reduce(typing, { ...news, scanned: 41, matched: 7, running: true, ended: false });
  expect(tabsView(half)).toMatchObject({ count: '7 so far', partial: 'scanned 41 %' });
  expect(tableView(half).empty).toBe('nothing found yet');
  const whole = reduce(half, { ...news, scanned: 100, matched: 12, running: false, ended: true });
  expect(tabsView(whole)).toMatchObject({ count: '12 of 100', partial: '' });
  expect(tableView(whole).empty).toBe('no session matches zzz');
});

describe('dialogs', () => {
  test('the confirm names the first eight, how many more, and what no kick will close', () => {
    const world = new World();
    for (let i = 0; i < 12; i++)
      world.add(session(`s${i}`, { ago: i, user: `user${i}`, ...(i === 3 ? { node: 'n9' } : {}) }));
    let state = afterFrame(start({ height: 12 }), world);
    state = { ...state, marks: new Map([...world.sessions, foreignSession('f')].map((one) => [one.id, one])) };
    const view = confirmView(press(state, { type: 'kick' }))!;
    expect(view).toMatchObject({ title: 'Kick 13 sessions', yes: 'Yes, kick 13', focus: 'no', more: 5 });
    expect(view.whom[0]).toEqual({ user: 'user0', session: 's0', node: 'n1' });
    expect(view.whom).toHaveLength(8);
    expect(view.warning).toBe(
      '1 of 13 foreign: another program has the socket, nothing will be changed; 1 of 13 of a dead node: no socket is left to close',
    );
    expect(confirmView(state)).toBeNull();
  });

  test('the confirm says which targets end while it is open, at a refresh too', () => {
    const { state, world } = opened(9);
    const one = press(state, { type: 'kick' });
    const two = press(state, { type: 'mark' }, { type: 'mark' }, { type: 'refresh' });
    expect(confirmView(afterFrame(one, world))!.warning).toBe('');
    world.remove('s000');
    expect(confirmView(afterFrame(one, world))!.warning).toBe('ended since this was asked');
    expect(confirmView(afterFrame(two, world))!.warning).toBe('1 of 2 ended since this was asked');
  });

  test('progress and outcomes: what did not work stands first', () => {
    const { state } = opened(3);
    const begun = press(
      state,
      { type: 'mark' },
      { type: 'mark' },
      { type: 'mark' },
      { type: 'kick' },
      { type: 'focus', by: 1 },
      { type: 'accept' },
    );
    const half = reduce(begun, {
      type: 'progress',
      serial: 1,
      actionId: 'a',
      outcomes: new Map([
        ['s000', 'kicked'],
        ['s002', 'timeout'],
      ]),
    });
    expect(progressView(half)).toMatchObject({ title: 'Kicking 3 sessions', done: 2, of: 3, phase: 'running' });
    expect(progressView(half)!.counts.map(({ text }) => text)).toEqual(['1 kicked', '1 timeout']);
    expect(footerView(half)).toMatchObject({ mode: 'progress', canStop: true });
    const stopped = press(half, { type: 'stop' }, { type: 'worked', serial: 1, fault: null });
    expect(outcomesView(stopped)!.title).toBe('Kicked 1 of 3 sessions');
    expect(outcomesView(stopped)!.rows.map(({ session: id, outcome }) => `${id} ${outcome.text}`)).toEqual([
      's002 timeout',
      's001 not done',
      's000 kicked',
    ]);
  });

  test('the prompts', () => {
    const { state } = opened(3);
    const jump = press(state, { type: 'prompt', kind: 'jump' }, { type: 'text', text: 'no' });
    expect(promptView(jump)).toMatchObject({ kind: 'jump', hint: 'des', input: { text: 'no', caret: 2 } });
    const filter = press(state, { type: 'prompt', kind: 'filter' }, { type: 'text', text: 'user:' });
    expect(promptView(filter)!.input.fault).toBe('user: what is missing after it');
    expect([modeOf(state), modeOf(jump), modeOf(filter)]).toEqual(['sessions', 'jump', 'filter']);
  });
});

test('hostile text is visible wherever it stands', () => {
  const world = new World();
  world.add(session('s', { user: HOSTILE, role: HOSTILE, userAgent: HOSTILE, ip: HOSTILE }));
  world.users = [{ user: HOSTILE, sessions: 1, more: false, newestAt: NOW }];
  const state = afterFrame(start({ setting: { ...SETTING, where: HOSTILE } }), world);
  const users = afterFrame(press(state, { type: 'go', to: 'users' }), world);
  const filtered = press(users, { type: 'open' });
  const views = [
    headView(state),
    tableView(state).rows[0]!.cells,
    detailsView(press(state, { type: 'open' })),
    confirmView(press(state, { type: 'kick' })),
    tableView(users).rows[0]!.cells,
    tabsView(filtered),
    promptView(press(filtered, { type: 'prompt', kind: 'filter' })),
  ];
  for (const one of views) {
    const texts: string[] = [];
    JSON.stringify(one, (_, value) => {
      if (typeof value === 'string') texts.push(value);
      return value;
    });
    expect(texts.join('')).not.toMatch(/[\x00-\x1f\u202e]/);
  }
});
