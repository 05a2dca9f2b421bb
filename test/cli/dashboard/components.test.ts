/** The parts of the screen, each by itself. */
import { describe, expect, test } from 'vitest';
import { bar } from '../../../src/cli/dashboard/components/bar.ts';
import { type Column, fitColumns, GAP } from '../../../src/cli/dashboard/components/columns.ts';
import { confirmBox } from '../../../src/cli/dashboard/components/confirm.ts';
import { footerLines } from '../../../src/cli/dashboard/components/footer.ts';
import { barsLine, gaugesLine, headLine } from '../../../src/cli/dashboard/components/head.ts';
import { inputLine } from '../../../src/cli/dashboard/components/prompt.ts';
import { sparkline } from '../../../src/cli/dashboard/components/sparkline.ts';
import { tableLines } from '../../../src/cli/dashboard/components/table.ts';
import { LOOKS } from '../../../src/cli/dashboard/panes/all.ts';
import type { Line } from '../../../src/cli/dashboard/screen/line.ts';
import { screenLines } from '../../../src/cli/dashboard/screen.ts';
import { displayWidth } from '../../../src/cli/output/width.ts';
import { cell, fakeRow, fakeShown } from './fake-shown.ts';

const text = (line: Line) => line.map((span) => span.text).join('');
const size = { columns: 120, rows: 40 };
const shown = fakeShown(40, size);

describe('sparkline', () => {
  test('from zero when it swings, from its lowest point when it hovers, level when nothing changes', () => {
    expect(sparkline([0, 0, 8], 90)).toBe(`${' '.repeat(87)}▁▁█`);
    expect(sparkline([1000, 1004, 1008], 90).trim()).toBe('▁▅█');
    expect(sparkline([5, 5], 90).trim()).toBe('▄▄');
    expect(sparkline([0, 0], 90).trim()).toBe('▁▁');
  });

  test('a gap where nothing is known, and always as wide as asked', () => {
    expect(sparkline([1, null, 1], 90).trim()).toBe('▄ ▄');
    for (const width of [1, 4, 12, 30]) {
      for (const length of [0, 1, 89, 150]) expect(sparkline(Array(length).fill(3), width)).toHaveLength(width);
    }
    expect(sparkline([1], 0)).toBe('');
  });

  test('many points share a column', () => {
    expect(sparkline([...Array(45).fill(1), ...Array(45).fill(9)], 2)).toBe('▂█');
  });
});

test('a bar: something is never nothing, and no bar is longer than its room', () => {
  expect(text(bar(0.5, 8))).toBe('████░░░░');
  expect(text(bar(0.0001, 4))).toBe('▏░░░');
  expect(text(bar(0, 4))).toBe('░░░░');
  expect(text(bar(7, 4))).toBe('████');
});

describe('columns', () => {
  const columns: Column[] = [
    { cell: 'a', title: 'A', least: 4, most: 10 },
    { cell: 'b', title: 'B', least: 4, most: 4 },
    { cell: 'c', title: 'C', least: 6, most: 20 },
  ];
  const widths = (width: number) => fitColumns(columns, width).map((one) => one.width);

  test('give way from the right, and share what is left', () => {
    expect(widths(18)).toEqual([4, 4, 6]);
    expect(widths(17)).toEqual([10, 4]);
    expect(widths(11)).toEqual([5, 4]);
    expect(widths(3)).toEqual([3]);
    expect(widths(100)).toEqual([10, 4, 20]);
  });

  test('are never wider than the terminal, whatever its size', () => {
    for (const { columns: all } of Object.values(LOOKS)) {
      for (let width = 1; width < 300; width++) {
        const fitted = fitColumns(all, width);
        expect(fitted.reduce((sum, one) => sum + one.width + GAP, -GAP)).toBeLessThanOrEqual(width);
      }
    }
  });
});

describe('the table', () => {
  const { columns } = LOOKS.sessions;
  const draw = (rows: Parameters<typeof tableLines>[0]['table']['rows'], total = rows.length, top = 0) =>
    tableLines({
      table: { pane: 'sessions', rows, top, total, empty: rows.length === 0 ? 'nobody is connected' : '' },
      columns,
      sorted: { cell: 'idle', up: true },
      width: 80,
      height: 8,
    }).map((line) => text(line).trimEnd());

  test('has its names above it, and an arrow at what it is sorted by', () => {
    expect(draw([])[0]).toMatch(/^ {3}SESSION +USER +ROLE +NODE +CONN +IDLE↑ +TTL$/);
  });

  test('marks by signs, not by colours alone', () => {
    const lines = draw([
      fakeRow(0, { cursor: true }),
      fakeRow(1, { marked: true }),
      fakeRow(2, { gone: true }),
      fakeRow(3, { cursor: true, marked: true, outcome: cell('node_unreachable', 'bad') }),
      null,
    ]);
    expect(lines[1]).toMatch(/^▸ {2}\S/);
    expect(lines[2]).toMatch(/^ ● \S/);
    expect(lines[3]).toMatch(/^ ✕ \S.* ended$/);
    expect(lines[4]).toMatch(/^▸● \S.* node_unreachable$/);
    expect(lines[5]).toBe('   …');
  });

  test('an outcome over an empty cell cuts nothing', () => {
    const { cells } = fakeRow(0);
    const row = fakeRow(0, { cells: { ...cells, ttl: cell(''), idle: cell('') }, outcome: cell('kicked', 'good') });
    expect(draw([row])[1]).toMatch(/\dm +kicked$/);
    expect(draw([row])[1]).not.toContain('…');
  });

  test.each([
    ['connected', false, 'CONN↑'],
    ['connected', true, 'CONN↓'],
    ['idle', false, 'IDLE↓'],
    ['ttl', false, 'TTL↑'],
    ['user', true, 'USER↓'],
  ] as const)('sorted by %s, reversed %s: %s', (by, reversed, title) => {
    const screen = screenLines({ ...shown, tabs: { ...shown.tabs, sort: { by, reversed } } }, size).map(text);
    expect(screen.find((line) => line.includes('SESSION '))).toContain(title);
  });

  test('says that it is empty', () => {
    expect(draw([]).join('\n')).toMatch(/\n +nobody is connected\n/);
  });

  test('a scroll bar, from the first row to the last', () => {
    const rows = Array.from({ length: 7 }, (_, at) => fakeRow(at));
    const thumb = (top: number, total: number) =>
      draw(rows, total, top).flatMap((line, at) => (line.endsWith('┃') ? [at] : []));
    expect(thumb(0, 7)).toEqual([]);
    expect(thumb(0, 14)).toEqual([1, 2, 3, 4]);
    expect(thumb(7, 14)).toEqual([4, 5, 6, 7]);
    expect(thumb(0, 1_000_000)).toEqual([1]);
    expect(thumb(999_993, 1_000_000)).toEqual([7]);
  });
});

describe('the head', () => {
  test('says how the link is by a sign and a word', () => {
    const links = [cell('live', 'good'), cell('slow', 'aging'), cell('connecting', 'dim')].map((link) =>
      text(headLine({ ...shown.head, link }, 80))
        .split('nodes')[1]!
        .trim(),
    );
    expect(links).toEqual(['● live 14:27:02', '◐ slow 14:27:02', '◌ connecting 14:27:02']);
  });

  test('what nodes do not say stands beside the figures, which are not old', () => {
    const why = 'chat-2 does not answer: what only nodes know is missing';
    const screen = (columns: number, rows: number, head: object) =>
      screenLines({ ...shown, head: { ...shown.head, why, ...head } }, { columns, rows }).map(text);
    const narrow = screen(80, 24, {});
    expect(narrow[1]).toMatch(/^ SESSIONS 40 .*USERS 32.* ✕ chat-2 does not answer $/);
    const wide = screen(120, 40, {});
    expect(wide[1]).toMatch(/^ SESSIONS 40 .*MSGS/);
    expect(wide[2]).toMatch(/^ chat-1 █.* ✕ chat-2 does not answer: what only nodes know is missing $/);
    expect([...narrow, ...wide].join()).not.toContain('old');
    const stale = screen(120, 40, { link: cell('stale since 14:26:58', 'bad') });
    expect(stale[1]).toContain('what is shown is old');
  });

  test('the last figures give way, and the rest keeps its sparklines', () => {
    expect(text(gaugesLine(shown.gauges, 120))).toContain('MSGS');
    const narrow = text(gaugesLine(shown.gauges, 80));
    expect(narrow).toContain('KICKED 2');
    expect(narrow).not.toContain('MSGS');
    expect(narrow).toMatch(/SESSIONS 40 [▁-█]{4,}/);
  });

  test('nodes that find no room are counted', () => {
    const many = Array.from({ length: 30 }, (_, at) => ({
      node: `chat-${at}`,
      sessions: '1,000',
      share: 1,
      alive: at !== 0,
    }));
    expect(text(barsLine(many, 80))).toMatch(
      /^ chat-0 ✕ gone +1,000 {3}chat-1 █+ 1,000 {3}chat-2 █+ 1,000 +\+27 nodes$/,
    );
    expect(text(barsLine([], 80)).trim()).toBe('');
  });
});

describe('the confirm', () => {
  const view = {
    act: 'kick' as const,
    title: 'Kick 2 sessions',
    whom: [
      { user: 'agent07', session: '4ktq3m0a', node: 'chat-1' },
      { user: '상담원 김', session: '9fX2kQ7wTz1mVbLq', node: 'chat-2' },
    ],
    more: 0,
    reason: { text: 'duty ended', caret: 10, fault: '' },
    focus: 'no' as const,
    yes: 'Yes, kick 2',
    warning: '',
  };

  test('names whom, and stands on No', () => {
    const box = confirmBox(view, 80, 18).map(text);
    expect(box[0]).toContain('Kick 2 sessions');
    expect(box[1]).toMatch(/│ agent07 +4ktq3m0a +chat-1 +│/);
    expect(box.join('\n')).toContain('reason: duty ended');
    expect(box.at(-2)).toContain('[ No ]');
    expect(box.at(-2)).toContain('  Yes, kick 2  ');
    expect(
      confirmBox({ ...view, focus: 'yes' }, 80, 18)
        .map(text)
        .at(-2),
    ).toContain('[ Yes, kick 2 ]');
  });

  test('what it warns of is said in full, a line each or more', () => {
    const warning = `3 of 9 foreign: another program has the socket, nothing will be changed; ${'of a dead node '.repeat(8)}`;
    const fault = 'at most 1024 bytes, and what is typed here is said to every one of those whose session is closed';
    const box = confirmBox({ ...view, warning, reason: { ...view.reason, fault } }, 80, 18).map(text);
    const said = box.map((line) => line.slice(1, -1).trim()).join(' ');
    expect(said).toContain('3 of 9 foreign: another program has the socket, nothing will be changed of a dead node');
    expect(said).toContain('of a dead node '.repeat(8).trim());
    expect(said).toContain(`✕ ${fault}`);
    expect(box.length).toBeLessThanOrEqual(18);
    expect(new Set(box.map((line) => displayWidth(line))).size).toBe(1);
  });

  test('in little room it names fewer, and counts the rest', () => {
    const whom = Array.from({ length: 8 }, (_, at) => ({ user: `user${at}`, session: `id${at}`, node: 'chat-1' }));
    const box = confirmBox({ ...view, whom, more: 1992 }, 80, 12).map(text);
    expect(box.length).toBeLessThanOrEqual(12);
    expect(box.join('\n')).toContain('more');
    expect(box.at(-2)).toContain('[ No ]');
  });
});

describe('typed text', () => {
  const at = (value: string, caret: number, width: number) => text(inputLine({ text: value, caret, fault: '' }, width));

  test('moves so that the caret is in sight', () => {
    expect(at('abc', 3, 6)).toBe('abc   ');
    expect(at('abcdefgh', 8, 4)).toBe('fgh ');
    expect(at('abcdefgh', 0, 4)).toBe('abcd');
  });

  test('what is wrong with it is told whole, above it where there is no room behind it; help that has none is left out', () => {
    const fault = 'no field nod: there are user, role, node, ip; quote what has a colon';
    const bottom = (typed: string, wrong: string) => {
      const input = { text: typed, caret: typed.length, fault: wrong };
      const screen = { ...shown, where: 'filter' as const, prompt: { kind: 'filter' as const, input, hint: '' } };
      const lines = screenLines(screen, { columns: 80, rows: 24 }).map(text);
      expect(lines.length).toBeLessThan(24);
      return lines.slice(-2).join('\n').trim();
    };
    const long = 'user:kim role:AGENT nod:x';
    expect(bottom('n:x', fault)).toMatch(new RegExp(`/n:x +✕ ${fault}$`));
    expect(bottom(long, fault)).toMatch(new RegExp(`^✕ ${fault}\n /${long}$`));
    expect(bottom('', '')).toMatch(/words, user: .*esc undo$/);
    expect(bottom(long, '')).toMatch(/\/user:kim role:AGENT nod:x +↵ keep {2}esc undo$/);
  });

  test('what is pasted with control characters shows them', () => {
    expect(at('a\u001b[2Jb', 7, 20).trim()).toBe('a\\x1b[2Jb');
  });
});

describe('the keys at the bottom', () => {
  const footer = (where: Parameters<typeof footerLines>[1], some: object = {}, width = 120) =>
    footerLines({ ...shown.footer, ...some }, where, width)
      .map(text)
      .join('\n')
      .trim();

  test('are those that mean something here', () => {
    expect(footer('sessions')).toMatch(/^↵ details {3}\/ filter {3}space mark {3}K kick/);
    expect(footer('nodes')).toMatch(/^↵ sessions/);
    expect(footer('nodes')).not.toContain('kick');
    expect(footer('sessions', { readOnly: true })).not.toMatch(/kick|mark|refresh/);
    expect(footer('sessions', { canStop: true })).toContain('x stop');
  });

  test('help and quit stay, however narrow it is', () => {
    for (const width of [40, 60, 80]) expect(footer('sessions', {}, width)).toMatch(/\? help +q quit$/);
  });

  test('a note takes their place', () => {
    expect(footer('sessions', { note: cell('already gone', 'bad') })).toBe('✕ already gone');
  });

  test.each([
    [80, 24],
    [120, 40],
  ])('at %i by %i a fault is told with what to do, in as many lines as it takes', (columns, rows) => {
    const fault =
      'Redis at 10.0.0.5:6379 cannot be reached: it did not answer in time. Check that it runs and that the address is right, then repeat.';
    const { head, footer: view } = shown;
    for (const some of [
      { footer: { ...view, note: cell(fault, 'bad') } },
      { head: { ...head, why: fault, link: cell('stale since 14:26:58', 'bad') } },
    ]) {
      const lines = screenLines({ ...shown, ...some }, { columns, rows }).map(text);
      expect(lines.length).toBeLessThan(rows);
      expect(lines.join(' ').replace(/\s+/g, ' ')).toContain(fault);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  test('a note without end is cut', () => {
    const lines = footer('sessions', { note: cell('word '.repeat(200), 'bad') }, 80).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/…$/);
  });
});
