/** Kick and refresh: what is asked, and what became of it. Pure; effects/acting.ts does it. */
import { MAX_REASON } from '../../../../sessions/control.ts';
import type { Session } from '../../../../sessions/model.ts';
import type { News } from '../actions.ts';
import { emptyInput } from '../input.ts';
import { MEANING } from '../meaning.ts';
import type { ActName, ActOutcome, Note, State, Tag } from '../state.ts';
import { cursorLine, stay } from '../table.ts';
import { without } from './marks.ts';
import { holdFirst } from './places.ts';

type Of<Type extends News['type']> = Extract<News, { type: Type }>;

/** Outcomes that are remembered. */
const MOST_OUTCOMES = 10_000;

const NONE = 'no row is chosen';

/** Acts on the marked sessions or on the one under the cursor: the targets are fixed here, whatever moves later. */
export function propose(state: State, act: ActName): State {
  // What is on the screen is what is acted on, not where a jump would have led.
  const settled = { ...state, sessions: stay(state.sessions) };
  if (state.setting.readOnly) return tell(settled, 'read-only: nothing is changed from here');
  if (state.work && state.work.phase !== 'done')
    return tell(settled, 'something is being done: wait for it, or stop it');
  // What is being marked is what is meant, and it isn't all there yet.
  if (state.gathering) return tell(settled, 'still marking all that match: wait for it, or give it up with esc');
  const targets = targetsOf(settled);
  if (targets === NONE) return holdFirst(settled);
  if (typeof targets === 'string') return tell(settled, targets);
  if (act === 'refresh' && targets.length === 1) return start(settled, act, targets, null);
  const reason = act === 'kick' ? emptyInput : null;
  return { ...settled, dialog: { kind: 'confirm', act, targets, reason, focus: 'no', fault: null, ended: new Set() } };
}

/** The sessions that an act would be about, or why there are none. */
export function targetsOf({ place, marks, sessions }: State): readonly Session[] | string {
  if (place.details) return place.details.gone ? 'it has ended' : [place.details.item];
  if (place.pane !== 'sessions') return 'sessions are acted on in their own pane: Enter shows those of this row';
  if (marks.size > 0) return [...marks.values()];
  const line = cursorLine(sessions);
  if (!line) return NONE;
  return line.gone ? 'it has ended' : [line.item];
}

/** Yes to a confirm. */
export function confirm(state: State): State {
  const { dialog } = state;
  if (dialog?.kind !== 'confirm') return state;
  const reason = dialog.reason?.text.trim() || null;
  const bytes = Buffer.byteLength(reason ?? '');
  if (bytes > MAX_REASON) {
    const fault = `the reason has ${bytes} bytes, at most ${MAX_REASON} are sent`;
    return { ...state, dialog: { ...dialog, focus: 'reason', fault } };
  }
  return start(state, dialog.act, dialog.targets, reason);
}

function start(state: State, act: ActName, targets: readonly Session[], reason: string | null): State {
  const serial = (state.work?.serial ?? 0) + 1;
  const work = {
    serial,
    actionId: null,
    act,
    targets,
    reason,
    phase: 'running',
    outcomes: new Map(),
    fault: null,
  } as const;
  // What became of them the last time is old news.
  const outcomes = new Map(
    state.outcomes.size > 0
      ? others(
          state.outcomes,
          targets.map(({ id }) => [id]),
        )
      : [],
  );
  return { ...state, work, outcomes, dialog: targets.length > 1 ? { kind: 'progress' } : null };
}

/** Ends what runs before its next page. */
export function stop(state: State): State {
  if (state.gathering) return { ...state, gathering: null };
  if (state.work?.phase !== 'running') return state;
  return { ...state, work: { ...state.work, phase: 'stopping' } };
}

export function onProgress(state: State, { serial, actionId, outcomes }: Of<'progress'>): State {
  const { work } = state;
  if (work?.serial !== serial) return state;
  const fresh = [...outcomes].flatMap(([id, outcome]): [string, Tag][] =>
    work.outcomes.has(id) ? [] : [[id, { outcome, at: state.now }]],
  );
  const kept = [...others(state.outcomes, fresh), ...fresh].slice(-MOST_OUTCOMES);
  return { ...state, work: { ...work, actionId, outcomes }, outcomes: new Map(kept) };
}

export function onWorked(state: State, { serial, fault }: Of<'worked'>): State {
  const { work, marks, dialog } = state;
  if (work?.serial !== serial) return state;
  const done = [...work.outcomes].filter(([, outcome]) => isDone(outcome)).map(([id]) => id);
  const next: State = {
    ...state,
    work: { ...work, phase: 'done', fault },
    marks: marks.size > 0 ? without(marks, done) : marks,
    dialog: dialog?.kind === 'progress' && !fault ? { kind: 'outcomes', first: 0 } : dialog,
  };
  if (work.targets.length > 1 && !fault) return next;
  return { ...next, note: fault ? { text: fault, tone: 'bad' } : noteOf(work.targets[0]!, work.outcomes) };
}

/** True when nothing is left to do for this session. */
export function isDone(outcome: ActOutcome): boolean {
  return outcome === 'kicked' || outcome === 'already_gone' || outcome === 'refreshed';
}

function noteOf({ id, user }: Session, outcomes: ReadonlyMap<string, ActOutcome>): Note {
  const outcome = outcomes.get(id);
  const text = `${id} of ${user}: ${outcome ?? 'not done'}${outcome && MEANING[outcome] ? `, ${MEANING[outcome]}` : ''}`;
  return { text, tone: outcome && isDone(outcome) ? 'good' : 'bad' };
}

/** Those that do not come again: these go to the end. */
function others<Value>(
  map: ReadonlyMap<string, Value>,
  again: readonly (readonly [id: string, ...unknown[]])[],
): (readonly [string, Value])[] {
  const left = new Map(map);
  for (const [id] of again) left.delete(id);
  return [...left];
}

const tell = (state: State, text: string): State => ({ ...state, note: { text, tone: 'bad' } });
