/** The panes by name. A later one is a file here, a row below, and its name in the model's PANES, which numbers them. */
import type { Tab } from '../components/tabs.ts';
import { PANES, type PaneName } from '../model/state.ts';
import { nodes } from './nodes.ts';
import type { PaneLook } from './pane.ts';
import { sessions } from './sessions.ts';
import { users } from './users.ts';

export const LOOKS: Readonly<Record<PaneName, PaneLook>> = { sessions, users, nodes };

export const TABS: readonly Tab[] = PANES.map((name, at) => ({ number: at + 1, name, title: LOOKS[name].title }));
