/** Who is online, each once. */
import type { PaneLook } from './pane.ts';

export const users: PaneLook = {
  title: 'Users',
  columns: [
    { cell: 'user', title: 'USER', least: 24, most: 60 },
    { cell: 'sessions', title: 'SESSIONS', least: 8, most: 8, align: 'right' },
    { cell: 'newest', title: 'NEWEST', least: 8, most: 8, align: 'right' },
  ],
};
