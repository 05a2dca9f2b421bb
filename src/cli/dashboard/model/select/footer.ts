/** Which keys mean something, and the line that is told instead of them. */
import { visible } from '../../../../common/escape.ts';
import { targetsOf } from '../reduce/acts.ts';
import type { State } from '../state.ts';
import type { Cell, FooterView, Mode } from '../views.ts';
import { cell, percent, plural, thousands } from './text.ts';

/** What has the keys. */
export function modeOf({ dialog, place }: State): Mode {
  return dialog?.kind ?? (place.details ? 'details' : place.pane);
}

export function footerView(state: State): FooterView {
  const { setting, work, gathering } = state;
  return {
    mode: modeOf(state),
    readOnly: setting.readOnly,
    canAct: !setting.readOnly && typeof targetsOf(state) !== 'string',
    canStop: gathering !== null || work?.phase === 'running',
    hasOutcomes: work?.phase === 'done',
    note: noteOf(state),
  };
}

function noteOf({ note, gathering, work, counts, dialog }: State): Cell | null {
  if (note) return cell(visible(note.text), note.tone);
  if (gathering) {
    const { found, scanned } = gathering;
    return cell(`marking all that match: ${thousands(found)} found, scanned ${percent(scanned, counts?.listed ?? 0)}`);
  }
  if (!work || work.phase === 'done' || dialog?.kind === 'progress') return null;
  const what = work.act === 'kick' ? 'kicking' : 'refreshing';
  return cell(`${what} ${plural(work.targets.length, 'session')}: ${thousands(work.outcomes.size)} done`);
}
