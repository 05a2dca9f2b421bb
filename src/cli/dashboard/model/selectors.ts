/** What the panes show of a state: the one door to the view models. */
export { confirmView, outcomesView, progressView, promptView } from './select/dialogs.ts';
export { footerView, modeOf } from './select/footer.ts';
export { barsView, gaugesView, headView, tabsView } from './select/head.ts';
export { detailsView, tableView } from './select/tables.ts';
