/** Whatever comes and goes between the key presses: what a key acts on is what was on the screen under the cursor. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Asks, Intent } from '../../../../src/cli/dashboard/model/actions.ts';
import { asksOf } from '../../../../src/cli/dashboard/model/questions.ts';
import { reduce } from '../../../../src/cli/dashboard/model/reducer.ts';
import { tableView } from '../../../../src/cli/dashboard/model/selectors.ts';
import type { State } from '../../../../src/cli/dashboard/model/state.ts';
import { opened, session } from './world.ts';

type Step =
  | { do: 'come'; count: number; ago: number }
  | { do: 'go'; at: number; cursorToo: boolean }
  | { do: 'die'; at: number }
  | { do: 'ask' }
  | { do: 'answer' }
  | { do: 'press'; intent: Intent };

const intents = fc.constantFrom<Intent>(
  { type: 'move', by: 1 },
  { type: 'move', by: -1 },
  { type: 'move', by: 3 },
  { type: 'page', by: 1 },
  { type: 'page', by: -1 },
  { type: 'edge', to: 'first' },
  { type: 'edge', to: 'last' },
  { type: 'mark' },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('come' as const), count: fc.integer({ min: 1, max: 40 }), ago: fc.nat(200) }),
  fc.record({ do: fc.constant('go' as const), at: fc.nat(), cursorToo: fc.boolean() }),
  fc.record({ do: fc.constant('die' as const), at: fc.nat() }),
  fc.constant<Step>({ do: 'ask' }),
  fc.constant<Step>({ do: 'answer' }),
  fc.record({ do: fc.constant('press' as const), intent: intents }),
);

const underCursor = (state: State) => tableView(state).rows.find((row) => row?.cursor);

/** What a kick would be about is what the screen shows. */
function checkTargets(state: State): void {
  const now = underCursor(state);
  const asked = reduce({ ...state, marks: new Map() }, { type: 'kick' });
  if (!now || now.gone) expect(asked.dialog).toBeNull();
  else expect(asked.dialog).toMatchObject({ kind: 'confirm', targets: [{ id: now.key }] });
  expect(reduce(state, { type: 'open' }).place.details?.key).toBe(now?.key);
  const keys = state.sessions.lines.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
}

/** An answer: a jump that a key asked for may land; else the row is the same and on the screen, or none, never another. */
function checkAnswer(before: State, after: State): void {
  const held = underCursor(before);
  const hasLanded = before.sessions.jump !== null && after.sessions.jump === null;
  if (hasLanded) return;
  if (before.sessions.cursor === null && before.sessions.lines.length > 0) {
    expect(after.sessions.cursor).toBeNull();
  }
  if (!held) return;
  // The row that nobody ever moved to is let go when it would leave the screen.
  if (!before.sessions.taken && after.sessions.cursor === null) return;
  expect(after.sessions.cursor).toBe(held.key);
  expect(underCursor(after)?.key).toBe(held.key);
}

/** A mark: on the row that was on the screen under the cursor, and on no other. */
function checkMark(before: State, after: State): void {
  const held = underCursor(before);
  const all = [...new Set([...before.marks.keys(), ...after.marks.keys()])];
  const changed = all.filter((id) => before.marks.has(id) !== after.marks.has(id));
  if (!held) expect(changed).toEqual([]);
  else if (!held.gone) expect(changed).toEqual([held.key]);
}

test('rows that come and go between key presses never change what a key acts on', () => {
  const lists = fc.array(steps, { maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(120), fc.integer({ min: 1, max: 12 }), lists, (count, height, all) => {
      const begun = opened(count, { height });
      const { world } = begun;
      let { state } = begun;
      let made = 0;
      /** A frame under way: it tells what was so when Redis answered, and comes when it comes. */
      let under: { asks: Asks; frame: ReturnType<typeof world.answer> } | undefined;
      const pick = (at: number) => world.sessions[at % Math.max(1, world.sessions.length)]?.id ?? '';
      for (const step of all) {
        const before = state;
        if (step.do === 'come') {
          for (let i = 0; i < step.count; i++) world.add(session(`new${made++}`, { ago: step.ago }));
        } else if (step.do === 'go') {
          const id = step.cursorToo ? (state.sessions.cursor ?? '') : pick(step.at);
          world.remove(id);
        } else if (step.do === 'die') {
          world.dead.add(pick(step.at));
        } else if (step.do === 'ask') {
          const asks = asksOf(state);
          under = { asks, frame: world.answer(asks) };
        } else if (step.do === 'answer' && under) {
          state = reduce(state, { type: 'frame', at: state.now, ...under });
          under = undefined;
          checkAnswer(before, state);
        } else if (step.do === 'press') {
          state = reduce(state, step.intent);
          if (step.intent.type === 'mark') checkMark(before, state);
        }
        checkTargets(state);
      }
    }),
    { numRuns: 300 },
  );
});
