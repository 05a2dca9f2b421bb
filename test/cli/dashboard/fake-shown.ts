/** Screens to draw without a model: views as it makes them, of as many sessions as one likes. */

import type { Cell, RowView, Tone } from '../../../src/cli/dashboard/model/views.ts';
import { type Shown, type Size, tableHeight } from '../../../src/cli/dashboard/screen.ts';
import { visible } from '../../../src/common/escape.ts';

/** Korean, emoji that join, and what a hostile client would send. */
const USERS = [
  'agent07',
  '상담원 김철수',
  '고객🙂😀',
  'cust4410',
  '👨‍👩‍👧‍👦 family',
  '\u001b[2J\u001b[31mroot',
  'a\tb\nc',
  '\u202eevil',
  '아주 긴 이름을 가진 고객님 아주 긴 이름을 가진 고객님',
  `z${'\u0301'.repeat(40)}algo`,
];
const ROLES = ['AGENT', 'CUSTOMER', '', 'BOT'];
const AGENTS = ['Chrome 156, Windows', 'stompjs', 'Safari 19, iOS', 'Firefox 148, Linux'];
const CHARS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-';

export const cell = (text: string, tone: Tone = 'plain'): Cell => ({ text: visible(text), tone });

export function fakeId(at: number): string {
  return Array.from({ length: 16 }, (_, i) => CHARS[(at * 31 + i * i * 7 + i * 13) % CHARS.length]).join('');
}

/** The session of a rank. */
export function fakeRow(at: number, some: Partial<RowView> = {}): RowView {
  const foreign = at % 17 === 5;
  const minutes = 1 + at * 3;
  return {
    key: fakeId(at),
    cells: {
      session: cell(foreign ? `spring-session-${at}-0f9e8d7c6b5a` : fakeId(at)),
      user: cell(USERS[at % USERS.length]!),
      role: cell(ROLES[at % ROLES.length]!),
      node: foreign ? cell('(foreign)', 'dim') : cell(`chat-${1 + (at % 3)}`),
      ip: foreign
        ? cell('-', 'dim')
        : cell(at % 11 === 3 ? '2001:db8:85a3::8a2e:370:7334' : `10.${at % 7}.0.${at % 250}`),
      conn: foreign
        ? cell('-', 'dim')
        : cell(minutes < 60 ? `${minutes}m` : `${Math.floor(minutes / 60) % 40}h${minutes % 60}m`),
      idle: foreign ? cell('-', 'dim') : at % 5 === 4 ? cell('7m40s', 'aging') : cell(`${at % 60}s`),
      ttl: at % 13 === 6 ? cell('4m10s', 'aging') : cell('23h59m'),
      subs: foreign ? cell('-', 'dim') : cell(String(at % 6)),
      recv: cell(String((at * 37) % 12_000)),
      sent: cell(String((at * 91) % 99_000)),
      stomp: cell(foreign ? '-' : '1.2', foreign ? 'dim' : 'plain'),
      agent: cell(AGENTS[at % AGENTS.length]!),
    },
    cursor: false,
    marked: false,
    gone: false,
    dead: false,
    outcome: null,
    ...some,
  };
}

const number = (value: number) => value.toLocaleString('en-US');
const wave = (points: number, base: number, swing: number) =>
  Array.from({ length: points }, (_, at) => base + swing * Math.sin(at / 9) + (at % 4) * swing * 0.1);

/** The screen of so many sessions, at this size. */
export function fakeShown(count: number, size: Size, some: Partial<Shown> = {}): Shown {
  const rows = Math.min(count, tableHeight(size));
  const top = count > rows ? Math.floor(count / 3) : 0;
  const table = Array.from({ length: rows }, (_, at) => fakeRow(top + at));
  if (table[3]) table[3] = { ...table[3], cursor: true };
  for (const at of [2, 5]) if (table[at]) table[at] = { ...table[at], marked: true };
  if (table[7]) table[7] = { ...table[7], gone: true };
  if (table[9]) {
    table[9] = { ...table[9], dead: true, cells: { ...table[9].cells, node: cell('chat-9 (dead)', 'bad') } };
  }
  if (table[11]) table[11] = { ...table[11], outcome: cell('kicked', 'good') };
  const points = count === 0 ? 0 : 150;
  return {
    where: 'sessions',
    head: {
      where: 'redis 10.0.0.5:6379',
      took: '0.4 ms',
      nodes: '3 nodes',
      access: '',
      link: cell('live', 'good'),
      why: '',
      clock: '14:27:02',
    },
    gauges: [
      { name: 'SESSIONS', text: number(count), series: wave(points, count, count / 20), tone: 'plain' },
      { name: 'USERS', text: number(Math.ceil(count * 0.8)), series: [], tone: 'plain' },
      { name: 'IN', text: count === 0 ? '-' : '11/s', series: wave(points, 11, 8), tone: 'plain' },
      { name: 'OUT', text: count === 0 ? '-' : '7/s', series: wave(points, 7, 5), tone: 'plain' },
      { name: 'KICKED', text: '2', series: [], tone: 'plain' },
      { name: 'MSGS', text: count === 0 ? '-' : '3.3k/s', series: wave(points, 3300, 900), tone: 'plain' },
      { name: 'FOREIGN', text: number(Math.floor(count / 17)), series: [], tone: 'dim' },
    ],
    bars: [
      { node: 'chat-1', sessions: number(Math.floor(count * 0.4)), share: count === 0 ? 0 : 1, alive: true },
      { node: 'chat-2', sessions: number(Math.floor(count * 0.33)), share: count === 0 ? 0 : 0.82, alive: true },
      { node: 'chat-3', sessions: number(Math.floor(count * 0.27)), share: count === 0 ? 0 : 0.67, alive: true },
      { node: 'chat-9', sessions: '0', share: 0, alive: false },
    ],
    tabs: {
      active: 'sessions',
      under: '',
      filter: '',
      sort: { by: 'connected', reversed: false },
      count: number(count),
      partial: '',
      marked: count > 5 ? '2 marked' : '',
    },
    table: { pane: 'sessions', rows: table, top, total: count, empty: count === 0 ? 'nobody is connected' : '' },
    footer: {
      mode: 'sessions',
      readOnly: false,
      canAct: count > 0,
      canStop: false,
      hasOutcomes: count > 0,
      note: null,
    },
    details: null,
    outcomes: null,
    confirm: null,
    progress: null,
    prompt: null,
    help: null,
    ...some,
  };
}
