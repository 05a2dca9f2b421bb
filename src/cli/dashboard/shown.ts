/** What the model's views make of a state: all that a screen is made of. */
import type { Where } from './keymap.ts';
import * as select from './model/selectors.ts';
import type { State } from './model/state.ts';
import type { Shown } from './screen.ts';

/** Where a key is pressed: what it means hangs on it. */
export function whereOf(state: State): Where {
  const { dialog } = state;
  return dialog?.kind === 'confirm' && dialog.focus === 'reason' ? 'reason' : select.modeOf(state);
}

/** @param silence seconds for which Redis has kept us waiting; 0: it has not */
export function shownOf(state: State, silence = 0): Shown {
  const head = select.headView(state);
  return {
    where: whereOf(state),
    head: silence > 0 ? { ...head, link: { text: `no answer for ${silence} s`, tone: 'aging' } } : head,
    gauges: select.gaugesView(state),
    bars: select.barsView(state),
    tabs: select.tabsView(state),
    table: select.tableView(state),
    footer: select.footerView(state),
    details: select.detailsView(state),
    outcomes: select.outcomesView(state),
    confirm: select.confirmView(state),
    progress: select.progressView(state),
    prompt: select.promptView(state),
    help: state.dialog?.kind === 'help' ? state.dialog.first : null,
  };
}
