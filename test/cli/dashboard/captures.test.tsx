/** Whole screens at three sizes, as text that is committed: what fits, what gives way, and that no line is ever too wide. */

import { cleanup } from 'ink-testing-library';
import { afterEach, describe, expect, test } from 'vitest';
import { Screen } from '../../../src/cli/dashboard/app.tsx';
import { draw } from '../../../src/cli/dashboard/screen/line.ts';
import { type Shown, type Size, screenLines, tableHeight } from '../../../src/cli/dashboard/screen.ts';
import { cell, fakeId, fakeShown } from './fake-shown.ts';
import { columnsOf, inkAt } from './ink-at.tsx';

const SIZES: Size[] = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 60 },
];
const name = ({ columns, rows }: Size) => `${columns}x${rows}`;

afterEach(cleanup);

/** As Ink draws it, measured. */
function capture(shown: Shown, size: Size): string {
  const drawn = screenLines(shown, size).map((line) => draw(line, true));
  const lines = inkAt(size, <Screen lines={drawn} />).lines();
  expect(lines.length).toBeLessThan(size.rows);
  for (const line of lines) {
    expect(columnsOf(line), line).toBeLessThanOrEqual(size.columns);
    expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const WHOM = ['상담원 김철수', 'agent07', '고객🙂😀', 'cust4410', 'bot77', 'kim', 'lee', 'park'];

const OTHERS: Record<string, Partial<Shown>> = {
  details: {
    where: 'details',
    details: {
      id: fakeId(1),
      gone: false,
      dead: false,
      fields: [
        ['user', '상담원 김철수'],
        ['role', 'AGENT'],
        ['node', 'chat-1'],
        ['ip', '10.1.4.7:52144'],
        ['connected', '2h14m, 2026-11-22 12:13:02'],
        ['idle', '5m12s'],
        ['ttl', '23h59m'],
        ['agent', `Mozilla/5.0 ${'(X11; Linux x86_64) '.repeat(12)}`],
      ].map(([field = '', text = '']) => ({ name: field, value: cell(text) })),
    },
  },
  confirm: {
    where: 'confirm',
    confirm: {
      act: 'kick',
      title: 'Kick 2,000 sessions',
      whom: WHOM.map((user, at) => ({ user, session: fakeId(at), node: `chat-${1 + (at % 3)}` })),
      more: 1992,
      reason: { text: 'duty ended', caret: 10, fault: '' },
      focus: 'no',
      yes: 'Yes, kick 2,000',
      warning:
        '3 of 2,000 foreign: another program has the socket, nothing will be changed; 5 of 2,000 of a dead node: no socket is left to close',
    },
  },
  progress: {
    where: 'progress',
    progress: {
      title: 'Kicking 2,000 sessions',
      done: 1204,
      of: 2000,
      counts: [cell('1,198 kicked', 'good'), cell('6 already_gone')],
      phase: 'running',
      fault: '',
    },
  },
  outcomes: {
    where: 'outcomes',
    outcomes: {
      title: 'Kicked 8 sessions',
      first: 0,
      total: 8,
      rows: WHOM.map((user, at) => ({
        session: fakeId(at),
        user,
        node: 'chat-1',
        outcome: at === 2 ? cell('node_unreachable', 'bad') : cell('kicked', 'good'),
        what: at === 2 ? 'its node is dead' : '',
      })),
    },
  },
  help: { where: 'help', help: 0 },
  filter: {
    where: 'filter',
    prompt: { kind: 'filter', input: { text: 'user:상담 role:AGENT', caret: 7, fault: '' }, hint: '' },
  },
  fault: {
    where: 'filter',
    prompt: {
      kind: 'filter',
      input: { text: 'nod:x', caret: 5, fault: 'nod: is no field: user: role: node: ip:' },
      hint: '',
    },
  },
};

describe.each(SIZES)('$columns by $rows', (size) => {
  test.each([0, 1, 40, 1_000_000])(
    '%i sessions: as many rows as there is room for, none of them cut',
    async (count) => {
      const text = capture(fakeShown(count, size), size);
      const rows = Math.min(count, tableHeight(size));
      expect(text.split('\n').filter((line) => /^[▸ ][●✕ ] (?!SESSION)\S/.test(line))).toHaveLength(rows);
      // From the head to the keys, every line is there.
      expect(text.split('\n')[0]).toMatch(/^ wssess {2}redis 10\.0\.0\.5:6379 0\.4 ms · 3 nodes +● live 14:27:02$/);
      expect(text.trimEnd().split('\n').at(-1)).toMatch(/^ ↵ details .* \? help +q quit$/);
      await expect(text).toMatchFileSnapshot(`captures/${name(size)}-${count}.txt`);
    },
  );

  test.each(Object.keys(OTHERS))('%s', async (what) => {
    const text = capture(fakeShown(40, size, OTHERS[what]), size);
    await expect(text).toMatchFileSnapshot(`captures/${name(size)}-${what}.txt`);
  });

  test('stale, with a long address and why: the address gives way, what happened does not', async () => {
    const { head } = fakeShown(40, size);
    const stale = {
      ...head,
      where: `redis ${'very-long-host-name.'.repeat(8)}example.com:6379`,
      access: 'read-only',
      link: cell('stale since 14:26:58', 'bad'),
      why: 'Redis at 10.0.0.5:6379 cannot be reached: connection refused',
    };
    const text = capture(fakeShown(40, size, { head: stale }), size);
    expect(text.split('\n')[0]).toMatch(/… .*read-only +✕ stale since 14:26:58$/);
    expect(text.split('\n')[1]).toContain('connection refused');
    await expect(text).toMatchFileSnapshot(`captures/${name(size)}-stale.txt`);
  });
});

test('every size from the least on: no line too wide, none too many', () => {
  for (let columns = 80; columns < 240; columns += 13) {
    for (const rows of [24, 29, 30, 31, 32, 50]) {
      const size = { columns, rows };
      for (const some of [{}, ...Object.values(OTHERS)]) {
        const lines = screenLines(fakeShown(1_000_000, size, some), size);
        expect(lines.length).toBeLessThan(rows);
        const texts = lines.map((line) => line.map((span) => span.text).join(''));
        expect(texts.filter((text) => columnsOf(text) > columns).map((text) => `${name(size)} ${text}`)).toEqual([]);
      }
    }
  }
}, 120_000);

test('a terminal that is too small says so, in as many lines as it has', () => {
  const shown = fakeShown(40, { columns: 80, rows: 24 });
  const text = screenLines(shown, { columns: 60, rows: 20 }).flat();
  expect(text.map((span) => span.text).join(' ')).toContain('80x24');
  for (const size of [
    { columns: 5, rows: 2 },
    { columns: 1, rows: 1 },
    { columns: 79, rows: 24 },
  ]) {
    const lines = screenLines(shown, size);
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, size.rows - 1));
    for (const line of lines)
      expect(columnsOf(line.map((span) => span.text).join(''))).toBeLessThanOrEqual(size.columns);
  }
});
