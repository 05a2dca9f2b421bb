/** The servers, and how they bear their load. */
import type { PaneLook } from './pane.ts';

export const nodes: PaneLook = {
  title: 'Nodes',
  columns: [
    { cell: 'node', title: 'NODE', least: 12, most: 28 },
    { cell: 'state', title: 'STATE', least: 6, most: 10 },
    { cell: 'sessions', title: 'SESSIONS', least: 8, most: 9, align: 'right' },
    { cell: 'in', title: 'IN', least: 6, most: 7, align: 'right' },
    { cell: 'out', title: 'OUT', least: 6, most: 7, align: 'right' },
    { cell: 'msgs', title: 'MSGS', least: 7, most: 8, align: 'right' },
    { cell: 'loop', title: 'LOOP', least: 7, most: 8, align: 'right' },
    { cell: 'cpu', title: 'CPU', least: 5, most: 5, align: 'right' },
    { cell: 'rss', title: 'RSS', least: 7, most: 8, align: 'right' },
    { cell: 'up', title: 'UP', least: 6, most: 6, align: 'right' },
    { cell: 'seen', title: 'SEEN', least: 6, most: 6, align: 'right' },
    { cell: 'url', title: 'URL', least: 24, most: 40 },
    { cell: 'version', title: 'VERSION', least: 7, most: 10 },
  ],
};
