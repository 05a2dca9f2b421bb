/** What stands over the table. */
import { visible } from '../../../../common/escape.ts';
import type { Session } from '../../../../sessions/model.ts';
import { NO_NODE } from '../../../../sessions/selection.ts';
import { MEANING } from '../meaning.ts';
import { deadness } from '../questions.ts';
import { isDone } from '../reduce/acts.ts';
import { jumpsFor } from '../reduce/dialogs.ts';
import type { ActName, ActOutcome, Input, State, Work } from '../state.ts';
import type { Cell, ConfirmView, InputView, OutcomesView, ProgressView, PromptView } from '../views.ts';
import { cell, outcomeCell, plural, thousands } from './text.ts';

/** Targets that a confirm names. */
const NAMED = 8;

/** Words of an act: `Kick`, `Kicking`, `Kicked`. */
const WORDS: Record<ActName, { now: string; doing: string; done: string }> = {
  kick: { now: 'Kick', doing: 'Kicking', done: 'Kicked' },
  refresh: { now: 'Refresh', doing: 'Refreshing', done: 'Refreshed' },
};

export function promptView({ dialog }: State): PromptView | null {
  if (dialog?.kind !== 'filter' && dialog?.kind !== 'jump') return null;
  const { kind, input, fault } = dialog;
  const typed = input.text.trim();
  const [only, ...others] = kind === 'jump' && typed !== '' ? jumpsFor(typed) : [];
  const hint = only && others.length === 0 ? only.slice(typed.length) : '';
  return { kind, input: inputView(input, fault), hint };
}

export function confirmView(state: State): ConfirmView | null {
  const { dialog } = state;
  if (dialog?.kind !== 'confirm') return null;
  const { act, targets, reason, focus, fault, ended } = dialog;
  return {
    act,
    title: `${WORDS[act].now} ${plural(targets.length, 'session')}`,
    whom: targets.slice(0, NAMED).map((session) => ({
      user: visible(session.user),
      session: visible(session.id),
      node: nodeOf(session),
    })),
    more: Math.max(0, targets.length - NAMED),
    reason: reason && inputView(reason, fault),
    focus,
    yes: `Yes, ${act} ${thousands(targets.length)}`,
    warning: warningOf(state, act, targets, ended),
  };
}

/** What has ended meanwhile, and what no kick will close. */
function warningOf(state: State, act: ActName, targets: readonly Session[], ended: ReadonlySet<string>): string {
  const isDead = deadness(state);
  const left = act === 'kick' ? targets.filter(({ id }) => !ended.has(id)) : [];
  const foreign = left.filter(({ details }) => !details).length;
  const dead = left.filter(isDead).length;
  const said = (count: number, what: string) => {
    if (count === 0) return [];
    return [targets.length === 1 ? what : `${thousands(count)} of ${thousands(targets.length)} ${what}`];
  };
  return [
    ...said(ended.size, 'ended since this was asked'),
    ...said(foreign, 'foreign: another program has the socket, nothing will be changed'),
    ...said(dead, 'of a dead node: no socket is left to close'),
  ].join('; ');
}

export function progressView({ dialog, work }: State): ProgressView | null {
  if (dialog?.kind !== 'progress' || !work) return null;
  const { phase, fault, outcomes, targets } = work;
  return {
    title: titleOf(work),
    done: outcomes.size,
    of: targets.length,
    counts: countsOf(work),
    phase,
    fault: visible(fault ?? ''),
  };
}

export function outcomesView({ dialog, work }: State): OutcomesView | null {
  if (dialog?.kind !== 'outcomes' || !work) return null;
  const { targets, outcomes } = work;
  const all = targets.toSorted((a, b) => weight(outcomes.get(a.id)) - weight(outcomes.get(b.id)));
  return {
    title: titleOf(work),
    first: dialog.first,
    total: all.length,
    rows: all.slice(dialog.first, dialog.first + MOST_ROWS).map((session) => {
      const outcome = outcomes.get(session.id);
      return {
        session: visible(session.id),
        user: visible(session.user),
        node: nodeOf(session),
        outcome: outcome ? outcomeCell(outcome) : cell('not done', 'dim'),
        what: outcome ? MEANING[outcome] : '',
      };
    }),
  };
}

/** More rows than any screen has. */
const MOST_ROWS = 500;

/** What did not work stands first. */
function weight(outcome: ActOutcome | undefined): number {
  return outcome === undefined ? 1 : isDone(outcome) ? 2 : 0;
}

function titleOf(work: Work): string {
  const { act, phase, targets, outcomes } = work;
  const words = WORDS[act];
  if (phase === 'running') return `${words.doing} ${plural(targets.length, 'session')}`;
  if (phase === 'stopping') return 'Stopping';
  const all = [...outcomes.values()];
  const done = all.filter((outcome) => outcome === 'kicked' || outcome === 'refreshed').length;
  return `${words.done} ${thousands(done)} of ${plural(targets.length, 'session')}`;
}

/** How many of each outcome, the most first. */
function countsOf({ outcomes }: Work): readonly Cell[] {
  const counts = new Map<ActOutcome, number>();
  for (const outcome of outcomes.values()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([outcome, count]) => cell(`${thousands(count)} ${outcome}`, outcomeCell(outcome).tone));
}

const nodeOf = ({ details }: Session): string => (details ? visible(details.node) : NO_NODE);

/** Made visible on both sides of the caret, which moves with it. */
function inputView({ text, caret }: Input, fault: string | null): InputView {
  const before = visible(text.slice(0, caret));
  return { text: before + visible(text.slice(caret)), caret: before.length, fault: visible(fault ?? '') };
}
