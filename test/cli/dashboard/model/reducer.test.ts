/** What keys and news make of a state: places, dialogs, marks, acts. */
import { describe, expect, test } from 'vitest';
import type { Action, Intent } from '../../../../src/cli/dashboard/model/actions.ts';
import { questionKey, questionOf } from '../../../../src/cli/dashboard/model/questions.ts';
import { reduce } from '../../../../src/cli/dashboard/model/reducer.ts';
import type { ActOutcome, Line, State } from '../../../../src/cli/dashboard/model/state.ts';
import type { Session } from '../../../../src/sessions/model.ts';
import { afterFrame, foreignSession, NOW, opened, SETTING, session, start, World } from './world.ts';

const press = (state: State, ...actions: Action[]) => actions.reduce(reduce, state);
const typed = (text: string): Intent[] => [...text].map((char) => ({ type: 'text', text: char }));
const filtered = (state: State, text: string) =>
  press(state, { type: 'prompt', kind: 'filter' }, { type: 'erase', what: 'line' }, ...typed(text), { type: 'accept' });
const keys = (state: State) => state.sessions.lines.map(({ key }) => key);
const down: Intent = { type: 'move', by: 1 };
const lines = (...sessions: Session[]): Line<Session>[] =>
  sessions.map((item, rank) => ({ key: item.id, item, rank, gone: false, seenAt: NOW }));
const scanned = (state: State, found: readonly Session[], over: Partial<Extract<Action, { type: 'scan' }>> = {}) =>
  reduce(state, {
    type: 'scan',
    at: NOW,
    question: questionKey(state),
    scanned: 100,
    listed: 100,
    matched: found.length,
    running: false,
    ended: true,
    lines: lines(...found),
    said: new Map(),
    ...over,
  });

describe('places', () => {
  test('Enter on a session shows it, and it is kept when it ends; esc leads back', () => {
    const { state, world } = opened(9);
    let there = press(state, down, { type: 'open' });
    expect(there.place.details?.key).toBe('s001');
    world.remove('s001');
    there = afterFrame(there, world);
    expect(there.place.details).toMatchObject({ key: 's001', gone: true });
    expect(press(there, { type: 'kick' }).dialog).toBeNull();
    expect(press(there, { type: 'back' })).toMatchObject({ place: { pane: 'sessions', details: null } });
  });

  test('Enter on a user and on a node shows their sessions', () => {
    const { state, world } = opened(9);
    world.users = [{ user: 'Kim "K" Lee', sessions: 2, more: false, newestAt: NOW }];
    let there = afterFrame(press(state, { type: 'go', to: 'users' }), world);
    there = press(there, { type: 'open' });
    expect(there.place).toMatchObject({ pane: 'sessions', filter: 'user:"Kim \\"K\\" Lee"' });
    // Esc undoes what was typed first, then leads back.
    there = filtered(there, 'role:X');
    there = press(there, { type: 'back' });
    expect(there.place.filter).toBe('user:"Kim \\"K\\" Lee"');
    there = press(there, { type: 'back' });
    expect(there.place).toMatchObject({ pane: 'users', filter: '' });
    there = press(there, { type: 'go', to: 'nodes' }, { type: 'open' });
    expect(there.place.filter).toBe('node:n1');
    expect(press(there, { type: 'back' }, { type: 'back' }, { type: 'back' }).place).toMatchObject({
      pane: 'sessions',
      filter: '',
    });
  });

  test('`:` knows the panes by their beginning, and says what it does not know', () => {
    const { state } = opened(3);
    const jump = (text: string) => press(state, { type: 'prompt', kind: 'jump' }, ...typed(text), { type: 'accept' });
    expect(jump('nod').place.pane).toBe('nodes');
    expect(jump('help').dialog).toEqual({ kind: 'help', first: 0 });
    expect(jump('q').quit).toBe(true);
    expect(jump('rooms').dialog).toMatchObject({ fault: 'no rooms: there are sessions, users, nodes, help, quit' });
    expect(jump('')).toMatchObject({ dialog: null, place: { pane: 'sessions' } });
    const completed = press(state, { type: 'prompt', kind: 'jump' }, ...typed('u'), { type: 'complete' });
    expect(completed.dialog).toMatchObject({ input: { text: 'users', caret: 5 } });
  });

  test('a jump that has not landed is forgotten when one goes on', () => {
    const { state, world } = opened(500);
    const there = press(state, { type: 'edge', to: 'last' }, { type: 'open' });
    expect(there.place.details?.key).toBe('s000');
    const back = afterFrame(press(afterFrame(there, world), { type: 'back' }), world);
    expect(back.sessions.cursor).toBe('s000');
  });
});

describe('filter', () => {
  test('what is at hand and fits stays while the answer is looked for; the rest comes with it', () => {
    const { state } = opened(5);
    const typing = press(state, { type: 'prompt', kind: 'filter' }, ...typed('s00'));
    expect(keys(typing)).toHaveLength(5);
    const narrow = press(typing, ...typed('3'));
    expect(keys(narrow)).toEqual(['s003']);
    // The row that was under the cursor is not shown: none is chosen until the answer is whole.
    expect(narrow.sessions.cursor).toBeNull();
    const partial = scanned(narrow, [session('s003')], { ended: false, running: true });
    expect(partial.sessions.cursor).toBeNull();
    const whole = scanned(partial, [session('x-s003'), session('s003')]);
    expect(whole.sessions.cursor).toBe('x-s003');
    // Repeated: the cursor stays where it is, also on what no longer matches.
    expect(scanned(whole, [session('a-s003'), session('s003')]).sessions.cursor).toBe('x-s003');
    expect(keys(scanned(whole, [session('s003')]))).toContain('x-s003');
  });

  test('accepted with Enter, the first match is chosen', () => {
    const { state } = opened(5);
    const typing = press(state, { type: 'prompt', kind: 'filter' }, ...typed('s003'));
    expect(press(typing, { type: 'accept' }).sessions.cursor).toBe('s003');
  });

  test('an answer to another question is not shown', () => {
    const { state } = opened(5);
    const there = filtered(state, 's003');
    expect(scanned(there, [session('other')], { question: 'before' })).toBe(there);
    const back = press(there, { type: 'back' });
    expect(scanned(back, [session('other')])).toBe(back);
  });

  test('a bad filter is one line, and the last good one stays in force; esc brings back what was before', () => {
    const { state } = opened(5);
    const there = filtered(state, 'role:AGENT');
    const bad = press(there, { type: 'prompt', kind: 'filter' }, ...typed(' user:'));
    expect(bad.dialog).toMatchObject({ fault: 'user: what is missing after it' });
    expect(bad.place.filter).toBe('role:AGENT user');
    expect(press(bad, { type: 'accept' }).dialog).toMatchObject({ kind: 'filter' });
    const other = press(bad, ...typed('kim'));
    expect(other.place.filter).toBe('role:AGENT user:kim');
    expect(press(other, { type: 'back' })).toMatchObject({ dialog: null, place: { filter: 'role:AGENT' } });
  });

  test('what is typed after / is one more word behind the filter that is there', () => {
    const { state } = opened(5);
    const there = press(state, { type: 'go', to: 'nodes' }, { type: 'open' });
    expect(there.place.filter).toBe('node:n1');
    for (const text of ['user:kim', ' user:kim']) {
      const typing = press(there, { type: 'prompt', kind: 'filter' }, ...typed(text));
      expect(typing.place.filter).toBe('node:n1 user:kim');
      expect(typing.dialog).toMatchObject({ fault: null });
    }
    expect(press(there, { type: 'prompt', kind: 'filter' }, { type: 'accept' }).place.filter).toBe('node:n1');
  });

  test('a text that is no filter matches nothing, and the prompt says why', () => {
    const { state, world } = opened(5, { place: { pane: 'sessions', filter: 'rol:AGENT', base: '', details: null } });
    expect(world.sessions.filter(questionOf(state).filter.fits)).toEqual([]);
    const prompt = press(state, { type: 'prompt', kind: 'filter' });
    expect(prompt.dialog).toMatchObject({ fault: expect.stringContaining('no field rol') });
    expect(press(prompt, { type: 'accept' }).dialog).toMatchObject({ kind: 'filter' });
  });

  test('rows in sight that end leave, the one under the cursor stays', () => {
    const { state, world } = opened(5);
    let there = scanned(filtered(state, 'kim'), world.sessions);
    there = press(there, down);
    world.remove('s001', 's003');
    there = afterFrame(there, world);
    expect(there.sessions.lines.map(({ key, gone }) => `${key}${gone ? ' gone' : ''}`)).toEqual([
      's000',
      's001 gone',
      's002',
      's004',
    ]);
    expect(keys(afterFrame(press(there, down), world))).toEqual(['s000', 's002', 's004']);
  });
});

describe('sort', () => {
  test('steps through the sorts, and turns round; the row under the cursor stays when it is found', () => {
    const { state, world } = opened(5);
    let there = press(state, down, { type: 'sort' });
    expect(there.sort).toEqual({ by: 'idle', reversed: false });
    there = scanned(there, world.sessions.toReversed());
    expect(there.sessions.cursor).toBe('s001');
    there = press(there, { type: 'sort', by: 'connected' }, { type: 'reverse' });
    there = afterFrame(there, world);
    expect(keys(there)).toEqual(['s004', 's003', 's002', 's001', 's000']);
    expect(there.sessions.cursor).toBe('s001');
  });
});

test('a row that a key was on is kept in sight in another order, and one that nobody moved to is not', () => {
  const { state, world } = opened(20);
  const order = world.sessions.toReversed();
  const taken = scanned(press(state, down, { type: 'sort' }), order).sessions;
  expect([taken.cursor, taken.first]).toEqual(['s001', 14]);
  const untouched = scanned(press(state, { type: 'sort' }), order).sessions;
  expect([untouched.cursor, untouched.first]).toEqual(['s019', 0]);
});

describe('marks', () => {
  test('a row, a range, none; they stay when rows move', () => {
    const { state, world } = opened(9);
    let there = press(state, { type: 'mark' }, down, { type: 'markRange' });
    expect([...there.marks.keys()]).toEqual(['s000', 's001', 's002']);
    world.add(session('new', { ago: 1 }));
    there = afterFrame(there, world);
    expect([...there.marks.keys()]).toEqual(['s000', 's001', 's002']);
    there = press(there, { type: 'move', by: -1 }, { type: 'mark' });
    expect([...there.marks.keys()]).toEqual(['s000', 's002']);
    expect(press(there, { type: 'unmarkAll' }).marks.size).toBe(0);
  });

  test('all that match: at once when all are at hand, else by a walk; too many are refused', () => {
    const { state, world } = opened(9);
    const there = scanned(filtered(state, 'kim'), world.sessions);
    expect(press(there, { type: 'markAll' }).marks.size).toBe(9);

    const walking = press(state, { type: 'markAll' });
    expect(walking.gathering).toMatchObject({ found: 0 });
    const { question } = walking.gathering!;
    const found = reduce(walking, { type: 'gathered', question, sessions: world.sessions });
    expect([found.marks.size, found.gathering]).toEqual([9, null]);
    const many = reduce(walking, { type: 'gathered', question, sessions: null });
    expect(many.note?.text).toContain('more than 10,000');
    expect(press(walking, { type: 'back' }).gathering).toBeNull();
    expect(filtered(walking, 'x').gathering).toBeNull();

    const big = press({ ...state, counts: { listed: 10_001, own: 10_001, users: 1 } }, { type: 'markAll' });
    expect([big.gathering, big.note?.tone]).toEqual([null, 'bad']);
  });
});

describe('acts', () => {
  const yes: Intent[] = [{ type: 'focus', by: 1 }, { type: 'accept' }];
  const done = (state: State, ...outcomes: [string, ActOutcome][]) => {
    const { serial } = state.work!;
    return press(
      state,
      { type: 'progress', serial, actionId: '01A', outcomes: new Map(outcomes) },
      { type: 'worked', serial, fault: null },
    );
  };

  test('the default is No, typing is the reason, and Enter there does not act', () => {
    const { state } = opened(9);
    const asked = press(state, { type: 'kick' });
    expect(asked.dialog).toMatchObject({ kind: 'confirm', focus: 'no', targets: [{ id: 's000' }] });
    expect(press(asked, { type: 'accept' })).toMatchObject({ dialog: null, work: null });
    const reason = press(asked, ...typed('duty ended'), { type: 'accept' });
    expect(reason.dialog).toMatchObject({ focus: 'no', reason: { text: 'duty ended' } });
    expect(press(reason, { type: 'accept' }).work).toBeNull();
    expect(press(reason, ...yes).work).toMatchObject({ act: 'kick', reason: 'duty ended', phase: 'running' });
    const long = press(asked, { type: 'text', text: '가'.repeat(400) }, { type: 'accept' }, ...yes);
    expect(long.dialog).toMatchObject({ focus: 'reason', fault: expect.stringContaining('1200 bytes') });
    expect(long.work).toBeNull();
  });

  test('targets are those of the moment when it was asked', () => {
    const { state, world } = opened(9);
    const asked = press(state, { type: 'mark' }, { type: 'mark' }, { type: 'kick' });
    world.remove('s000');
    world.add(session('new', { ago: 0 }));
    const later = afterFrame(asked, world);
    expect(press(later, ...yes).work?.targets.map(({ id }) => id)).toEqual(['s000', 's001']);
  });

  test('the outcome of each is told and kept; what is done is unmarked, what is not stays marked', () => {
    const { state } = opened(9);
    const marked = press(state, { type: 'mark' }, { type: 'mark' }, { type: 'kick' }, ...yes);
    expect(marked.dialog).toEqual({ kind: 'progress' });
    expect(press(marked, { type: 'back' }).work?.phase).toBe('stopping');
    const after = done(marked, ['s000', 'kicked'], ['s001', 'timeout']);
    expect(after.dialog).toEqual({ kind: 'outcomes', first: 0 });
    expect([...after.marks.keys()]).toEqual(['s001']);
    expect(after.outcomes.get('s001')?.outcome).toBe('timeout');
    const closed = press(after, { type: 'back' });
    expect(closed.dialog).toBeNull();
    expect(press(closed, { type: 'outcomes' }).dialog).toMatchObject({ kind: 'outcomes' });
  });

  test('one is told in a line', () => {
    const { state } = opened(9);
    const after = done(press(state, { type: 'refresh' }), ['s000', 'refreshed']);
    expect(after.note).toEqual({ text: 's000 of kim: refreshed', tone: 'good' });
  });

  test('Redis lost on the way', () => {
    const { state } = opened(9);
    const working = press(state, { type: 'refresh' });
    const after = press(working, { type: 'worked', serial: 1, fault: 'Redis is gone' });
    expect(after).toMatchObject({ note: { text: 'Redis is gone', tone: 'bad' }, work: { phase: 'done' } });
    expect(press(after, { type: 'worked', serial: 7, fault: 'late' })).toBe(after);
  });

  test('a tag goes when its session was seen alive for a while, not while its node is dead, and when it is acted on anew', () => {
    const { state, world } = opened(9);
    const after = done(press(state, { type: 'kick' }, ...yes), ['s000', 'node_unreachable']);
    const tags = (one: State) => [...one.outcomes.keys()];
    expect(tags(afterFrame(after, world, NOW + 20_000))).toEqual(['s000']);
    expect(tags(afterFrame(after, world, NOW + 31_000))).toEqual([]);
    const { nodes } = world;
    world.nodes = [];
    expect(tags(afterFrame(after, world, NOW + 31_000))).toEqual(['s000']);
    world.nodes = nodes;
    expect(tags(press(after, { type: 'refresh' }))).toEqual([]);
  });

  test('not while all that match are being marked: the row under the cursor is not what is meant', () => {
    const { state } = opened(9);
    const walking = press(state, { type: 'markAll' });
    for (const type of ['kick', 'refresh'] as const) {
      const asked = press(walking, { type });
      expect(asked).toMatchObject({
        dialog: null,
        work: null,
        note: { text: expect.stringContaining('still marking') },
      });
      expect(asked.gathering).not.toBeNull();
    }
  });

  test('one at a time; never in a read-only dashboard; never on what has ended', () => {
    const { state, world } = opened(9);
    const busy = press(state, { type: 'refresh' }, down, { type: 'refresh' });
    expect(busy.work?.targets).toMatchObject([{ id: 's000' }]);
    expect(busy.note?.tone).toBe('bad');
    const viewer = start({ setting: { ...SETTING, readOnly: true } });
    expect(press(afterFrame(viewer, world), { type: 'kick' })).toMatchObject({ dialog: null, work: null });
    expect(press(state, { type: 'go', to: 'nodes' }, { type: 'kick' })).toMatchObject({ dialog: null });
    world.remove('s000');
    expect(press(afterFrame(state, world), { type: 'refresh' })).toMatchObject({
      work: null,
      note: { text: 'it has ended' },
    });
  });
});

test('no key of a table means anything while something stands over it', () => {
  const { state } = opened(9);
  const open = press(state, { type: 'kick' });
  const inert: Intent[] = [
    { type: 'mark' },
    { type: 'kick' },
    { type: 'sort' },
    { type: 'go', to: 'users' },
    { type: 'markAll' },
  ];
  for (const intent of inert) expect(press(open, intent)).toBe(open);
  expect(press(state, { type: 'help' }, down).dialog).toEqual({ kind: 'help', first: 1 });
});

test('Redis away: the rows, marks and the filter stay', () => {
  const { state } = opened(9);
  const there = press(filtered(state, 'kim'), { type: 'mark' });
  const stale = press(there, { type: 'fault', at: NOW + 5000, why: 'gone', advice: 'wait' });
  expect(stale.link).toEqual({ state: 'stale', since: NOW, why: 'gone', advice: 'wait' });
  expect(stale.sessions).toBe(there.sessions);
  expect(stale.marks).toBe(there.marks);
  expect(stale.place).toBe(there.place);
});

test('an empty Redis, and one with only what no node wrote', () => {
  const world = new World();
  world.nodes = [];
  let state = afterFrame(start(), world);
  expect(state.sessions).toMatchObject({ lines: [], cursor: null, total: 0 });
  state = press(state, down, { type: 'page', by: 1 }, { type: 'edge', to: 'last' });
  expect(press(state, { type: 'open' }, { type: 'mark' }, { type: 'kick' })).toMatchObject({ dialog: null });
  world.add(foreignSession('f1'));
  const sample = world.sessions;
  state = reduce(state, { type: 'survey', at: NOW, foreign: 1, users: 1, orphans: 0, sample, ended: true });
  state = afterFrame(state, world);
  expect([keys(state), state.sessions.cursor]).toEqual([['f1'], 'f1']);
});
