/** The cursor is a session: whatever comes and goes, it stays on it. */
import { describe, expect, test } from 'vitest';
import type { Action, Intent } from '../../../../src/cli/dashboard/model/actions.ts';
import { asksOf, isUrgent } from '../../../../src/cli/dashboard/model/questions.ts';
import { reduce } from '../../../../src/cli/dashboard/model/reducer.ts';
import { tableView } from '../../../../src/cli/dashboard/model/selectors.ts';
import type { State } from '../../../../src/cli/dashboard/model/state.ts';
import { afterFrame, foreignSession, opened, session, start, World } from './world.ts';

const press = (state: State, ...actions: Action[]) => actions.reduce(reduce, state);
const down = (by = 1): Intent => ({ type: 'move', by });
const shown = (state: State) =>
  tableView(state).rows.map((row) => (row === null ? '…' : `${row.cursor ? '>' : ''}${row.gone ? 'x' : ''}${row.key}`));

describe('the cursor', () => {
  test('is on the first row at first, and moves at once', () => {
    const { state } = opened(40);
    expect(shown(state)).toEqual(['>s000', 's001', 's002', 's003', 's004']);
    expect(shown(press(state, down(6)))).toEqual(['s002', 's003', 's004', 's005', '>s006']);
    expect(shown(press(state, down(6), down(-5)))).toEqual(['>s001', 's002', 's003', 's004', 's005']);
  });

  test('stays on its session while others come; at the newest, the screen stays there as long as it is in sight', () => {
    const begun = opened(40);
    const { world } = begun;
    const state = press(begun.state, down(1), down(-1));
    world.add(session('new1', { ago: 1 }), session('new2', { ago: 2 }));
    const after = afterFrame(state, world);
    expect(shown(after)).toEqual(['new1', 'new2', '>s000', 's001', 's002']);
    world.add(...Array.from({ length: 6 }, (_, i) => session(`more${i}`, { ago: 0 })));
    expect(shown(afterFrame(after, world)).at(-1)).toBe('>s000');
  });

  test.each([2, 60])('that no key has put anywhere is let go when %i newer ones push it away', (many) => {
    const { state, world } = opened(40);
    const come = (name: string, count: number, ago: number) => {
      for (let i = 0; i < count; i++) world.add(session(`${name}${i}`, { ago }));
    };
    come('new', 4, 2);
    let after = afterFrame(state, world);
    expect(shown(after).at(-1)).toBe('>s000');
    come('more', many, 1);
    after = afterFrame(afterFrame(after, world), world);
    expect(after.sessions.cursor).toBeNull();
    expect(shown(after)[0]).toMatch(/^more/);
    // A key that needs a row takes hold of the first; the second press acts on it.
    const held = press(after, { type: 'kick' });
    expect(held.dialog).toBeNull();
    expect(shown(held)[0]).toMatch(/^>more/);
    expect(press(held, { type: 'kick' }).dialog).toMatchObject({ targets: [{ id: held.sessions.cursor }] });
    after = press(after, down());
    expect(shown(after)[0]).toMatch(/^>more/);
    // `g` is the beginning again.
    after = press(after, down(1), { type: 'edge', to: 'first' });
    expect(shown(after)[0]).toMatch(/^>more/);
    come('last', 9, 0);
    expect(afterFrame(after, world).sessions.cursor).toBeNull();
  });

  test('further down it keeps its place on the screen, however many come at once', () => {
    const { state, world } = opened(200);
    const there = press(state, down(7), down(-2));
    expect(shown(there)).toEqual(['s003', 's004', '>s005', 's006', 's007']);
    world.add(...Array.from({ length: 90 }, (_, i) => session(`new${i}`, { ago: 0 })));
    expect(shown(afterFrame(there, world))).toEqual(shown(there));
  });

  test('a session that ended stays in its place until the cursor leaves it', () => {
    const { state, world } = opened(40);
    const there = press(state, down(2));
    world.remove('s002', 's003');
    let after = afterFrame(there, world);
    expect(shown(after)).toEqual(['s000', 's001', '>xs002', 's004', 's005']);
    after = afterFrame(afterFrame(after, world), world);
    expect(shown(after)).toEqual(['s000', 's001', '>xs002', 's004', 's005']);
    after = afterFrame(press(after, down()), world);
    expect(shown(after)).toEqual(['s000', 's001', '>s004', 's005', 's006']);
  });

  test('the last of all ends', () => {
    const { state, world } = opened(1);
    world.remove('s000');
    const after = afterFrame(state, world);
    expect(shown(after)).toEqual(['>xs000']);
    expect(press(after, { type: 'kick' }).dialog).toBeNull();
  });

  test('an answer for where the cursor was before changes nothing', () => {
    const { state, world } = opened(200);
    const early = asksOf(state);
    const there = press(state, { type: 'edge', to: 'last' });
    const landed = afterFrame(there, world);
    expect(shown(landed).at(-1)).toBe('>s199');
    const late = reduce(landed, { type: 'frame', at: landed.now, asks: early, frame: world.answer(early) });
    expect(shown(late)).toEqual(shown(landed));
  });

  test('entries that are dead are passed over', () => {
    const { state, world } = opened(40);
    for (const id of ['s001', 's002', 's004', 's039']) world.dead.add(id);
    const after = afterFrame(state, world);
    expect(shown(after)).toEqual(['>s000', 's003', 's005', 's006', 's007']);
    const last = afterFrame(press(after, { type: 'edge', to: 'last' }), world);
    expect(shown(last).at(-1)).toBe('>s038');
    expect(last.sessions.jump).toBeNull();
  });
});

describe('what is not at hand', () => {
  test('the end of a long list takes one answer; until then the cursor stays', () => {
    const { state, world } = opened(500);
    const asked = press(state, { type: 'edge', to: 'last' });
    expect(shown(asked)[0]).toBe('>s000');
    expect(isUrgent(asked)).toBe(true);
    const there = afterFrame(asked, world);
    expect(shown(there)).toEqual(['s495', 's496', 's497', 's498', '>s499']);
    expect(isUrgent(there)).toBe(false);
    expect(shown(press(there, down()))).toEqual(shown(there));
    expect(shown(afterFrame(press(there, { type: 'edge', to: 'first' }), world))[0]).toBe('>s000');
  });

  test('pages go on by screens, and add up while no answer comes', () => {
    const { state, world } = opened(500);
    const pages = Array.from({ length: 20 }, (): Intent => ({ type: 'page', by: 1 }));
    expect(shown(afterFrame(press(state, ...pages), world))[0]).toBe('>s100');
    expect(shown(press(state, pages[0]!))[0]).toBe('>s005');
  });

  test('an act takes what is on the screen, and ends the jump', () => {
    const { state, world } = opened(500);
    const asked = press(state, { type: 'edge', to: 'last' }, { type: 'kick' });
    expect(asked.dialog).toMatchObject({ kind: 'confirm', targets: [{ id: 's000' }] });
    const after = afterFrame(asked, world);
    expect(shown(after)[0]).toBe('>s000');
  });

  test('a frame asks for the screen and a margin, never for more', () => {
    const { state } = opened(500, { height: 60 });
    expect(asksOf(state).sessions).toMatchObject({ top: 0, rows: 68 });
    const below = press(state, down(67));
    expect(asksOf(below).sessions!.rows).toBe(76);
  });
});

test('foreign sessions stand behind the end of the own ones', () => {
  const world = new World();
  world.add(session('a'), session('b', { ago: 61 }), foreignSession('f1'), foreignSession('f2'));
  const sample = [foreignSession('f1'), foreignSession('f2')];
  let state = afterFrame(start(), world);
  state = reduce(state, { type: 'survey', at: state.now, foreign: 2, users: 1, orphans: 0, sample, ended: true });
  state = afterFrame(state, world);
  expect(shown(state)).toEqual(['>a', 'b', 'f1', 'f2']);
  state = press(state, { type: 'edge', to: 'last' });
  expect(shown(state).at(-1)).toBe('>f2');
  world.remove('f2');
  state = afterFrame(state, world);
  expect(shown(state)).toEqual(['a', 'b', 'f1', '>xf2']);
  state = afterFrame(press(state, down(-1)), world);
  expect(shown(state)).toEqual(['a', 'b', '>f1']);
  expect(state.sessions.total).toBe(3);
});

test('a smaller screen keeps the cursor in sight', () => {
  const { state } = opened(40, { height: 20 });
  const small = press(state, down(15), { type: 'size', height: 4 });
  expect(shown(small)).toEqual(['s012', 's013', 's014', '>s015']);
  expect(shown(press(small, { type: 'size', height: 20 }))).toContain('>s015');
});

test('a row of a foreign session that lives stays under the cursor when the next sample lacks it, and frames go on', () => {
  const world = new World();
  const some = Array.from({ length: 4 }, (_, i) => foreignSession(`f${i}`));
  world.add(...some);
  const survey = (state: State, sample: typeof some): State =>
    reduce(state, { type: 'survey', at: state.now, foreign: 9, users: 1, orphans: 0, sample, ended: true });
  let state = afterFrame(survey(afterFrame(start(), world), some), world);
  state = press(state, down(2));
  world.add(session('own', { ago: 1 }));
  state = afterFrame(survey(state, [some[0]!, some[3]!]), world);
  expect(shown(state)).toEqual(['own', 'f0', '>f2', 'f3']);
  expect(shown(afterFrame(state, world))).toEqual(['own', 'f0', '>f2', 'f3']);
});

describe('where nothing lives', () => {
  /** 40 sessions, of which those of these ranks live. */
  const ruins = (lives: (rank: number) => boolean) => {
    const { world, state } = opened(40);
    for (const [rank, { id }] of world.sessions.entries()) if (!lives(rank)) world.dead.add(id);
    return { world, state };
  };

  test('a jump lands, keys go on, and it is said', () => {
    const { world } = ruins((rank) => rank >= 35);
    let state = afterFrame(start(), world);
    expect(state.sessions).toMatchObject({ lines: [], total: 40 });
    expect(tableView(state)).toMatchObject({ rows: [], empty: expect.stringContaining('sessions that ended') });
    state = afterFrame(press(state, { type: 'edge', to: 'last' }), world);
    expect(shown(state).at(-1)).toBe('>s039');
    state = afterFrame(press(state, { type: 'edge', to: 'first' }), world);
    expect(state.sessions).toMatchObject({ lines: [], jump: null, from: 0, cursor: null });
    let pages = 0;
    while (state.sessions.lines.length === 0 && pages++ < 20) {
      state = afterFrame(press(state, { type: 'page', by: 1 }), world);
      expect(state.sessions.jump).toBeNull();
    }
    expect(state.sessions.cursor).toMatch(/^s03[5-9]$/);
  });

  test('at the first row the window stays at the first rank, whatever lies dead before it', () => {
    const { world } = ruins((rank) => rank === 9 || rank > 20);
    const state = afterFrame(start({ height: 8 }), world);
    expect(shown(state)[0]).toBe('>s009');
    expect(asksOf(state).sessions).toMatchObject({ top: 0, keep: { id: 's009', row: 9 } });
  });
});
