/** The keys: one meaning in one place, nothing that acts with --read-only, and text where text is typed. */
import { expect, test } from 'vitest';
import { helped, helpLines } from '../../../src/cli/dashboard/components/help.ts';
import { type Group, KEYMAP, meaningOf, shownKey, type Where } from '../../../src/cli/dashboard/keymap.ts';
import { displayWidth } from '../../../src/cli/output/width.ts';

const PLACES: Where[] = [...new Set(KEYMAP.flatMap(({ where }) => where))];

test('a key means one thing in one place', () => {
  for (const where of PLACES) {
    const keys = KEYMAP.filter((one) => one.where.includes(where)).flatMap((one) => one.keys);
    expect(
      keys.filter((key, at) => keys.indexOf(key) !== at),
      where,
    ).toEqual([]);
  }
});

test('from everywhere there is a way back, and Ctrl-C quits', () => {
  for (const where of PLACES) {
    expect(meaningOf('esc', where, false), where).toEqual({ type: 'back' });
    expect(meaningOf('ctrl-c', where, true), where).toEqual({ type: 'quit' });
  }
});

test('with --read-only nothing acts', () => {
  for (const key of ['K', 'r', 'space', 'v', 'A', 'U']) {
    expect(meaningOf(key, 'sessions', false), key).toBeDefined();
    expect(meaningOf(key, 'sessions', true), key).toBeUndefined();
  }
  expect(meaningOf('j', 'sessions', true)).toEqual({ type: 'move', by: 1 });
});

test('what is typed is text in a line, and a key in a table', () => {
  for (const where of ['filter', 'jump', 'confirm', 'reason'] as const) {
    expect(meaningOf('q', where, false)).toEqual({ type: 'text', text: 'q' });
    expect(meaningOf('김', where, false)).toEqual({ type: 'text', text: '김' });
    expect(meaningOf('space', where, false)).toEqual({ type: 'text', text: ' ' });
    expect(meaningOf('pageup', where, false)).toBeUndefined();
  }
  expect(meaningOf('q', 'sessions', false)).toEqual({ type: 'quit' });
  expect(meaningOf('Z', 'sessions', false)).toBeUndefined();
});

test('help names every binding once', () => {
  const groups: Group[] = ['Move', 'Look', 'Go', 'Mark', 'Act', 'Type'];
  const all = groups.flatMap((group) => helped(group, false));
  expect(new Set(all.map((one) => one.help)).size).toBe(new Set(KEYMAP.map((one) => one.help)).size);
  expect(groups.flatMap((group) => helped(group, true)).some((one) => one.acts)).toBe(false);
});

test('help and docs name every key that means something', () => {
  const groups: Group[] = ['Move', 'Look', 'Go', 'Mark', 'Act', 'Type'];
  const shown = new Set(groups.flatMap((group) => helped(group, false)).flatMap((one) => shownKey(one).split(' ')));
  const names: Record<string, string> = { pageup: 'PgUp', 'ctrl-b': 'Ctrl-B', delete: 'Del', left: '←', enter: '↵' };
  for (const key of KEYMAP.flatMap((one) => one.keys)) {
    const name = names[key] ?? key;
    expect(
      [...shown].some((one) => one === name || one.toLowerCase() === key || /[↑↓→]|Pg/.test(one)),
      key,
    ).toBe(true);
  }
  for (const name of Object.values(names)) expect(shown).toContain(name);
  expect(KEYMAP.some((one) => one.keys.includes('ctrl-k'))).toBe(false);
});

test.each([80, 120, 200])('at %i columns help says everything, and cuts nothing', (width) => {
  const all = helpLines(0, false, width, 200).map((line) => line.map(({ text }) => text).join(''));
  expect(all.join('\n')).not.toContain('…');
  const words = all.join(' ').replace(/\s+/g, ' ');
  // In two columns what goes on below itself stands beside something else.
  for (const { help } of KEYMAP) expect(words).toContain(help.split(' ').at(-1));
  if (width === 80) for (const { help } of KEYMAP) expect(words).toContain(help);
  for (const line of all) expect(displayWidth(line)).toBeLessThanOrEqual(width);
});

test('of a key that means several things, help says where', () => {
  const lines = helpLines(0, false, 80, 100).map((line) => line.map(({ text }) => text).join(''));
  expect(lines.find((line) => line.includes('the details of the session'))).toMatch(/↵ +sessions: the/);
  expect(lines.find((line) => line.includes('the sessions of this user'))).toMatch(/↵ +users, nodes: the/);
  expect(lines.find((line) => line.includes('take all marks away'))).toMatch(/U +take/);
});
