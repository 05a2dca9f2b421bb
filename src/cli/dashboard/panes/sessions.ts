/** Who is connected. From the right, columns give way to a narrow terminal. */
import type { PaneLook } from './pane.ts';

export const sessions: PaneLook = {
  title: 'Sessions',
  columns: [
    { cell: 'session', title: 'SESSION', least: 16, most: 24, cut: 'middle' },
    { cell: 'user', title: 'USER', least: 12, most: 28 },
    { cell: 'role', title: 'ROLE', least: 8, most: 12 },
    { cell: 'node', title: 'NODE', least: 9, most: 16 },
    { cell: 'conn', title: 'CONN', least: 6, most: 6, align: 'right' },
    { cell: 'idle', title: 'IDLE', least: 6, most: 6, align: 'right' },
    { cell: 'ttl', title: 'TTL', least: 6, most: 6, align: 'right' },
    { cell: 'ip', title: 'IP', least: 15, most: 24 },
    { cell: 'subs', title: 'SUBS', least: 4, most: 4, align: 'right' },
    { cell: 'agent', title: 'AGENT', least: 12, most: 28 },
    { cell: 'recv', title: 'RECV', least: 6, most: 8, align: 'right' },
    { cell: 'sent', title: 'SENT', least: 6, most: 8, align: 'right' },
    { cell: 'stomp', title: 'STOMP', least: 5, most: 5 },
  ],
  sorted: {
    connected: { cell: 'conn', up: true }, // the newest first: what is shown is their age
    idle: { cell: 'idle', up: false },
    user: { cell: 'user', up: true },
    ttl: { cell: 'ttl', up: true },
  },
};
