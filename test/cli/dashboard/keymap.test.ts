/** The keys: one meaning in one place, nothing that acts with --read-only, and text where text is typed. */
import type { Key } from 'ink';
import { describe, expect, test } from 'vitest';
import { helped } from '../../../src/cli/dashboard/components/help.ts';
import { keysOf } from '../../../src/cli/dashboard/input.ts';
import { type Group, KEYMAP, meaningOf, type Where } from '../../../src/cli/dashboard/keymap.ts';

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
  for (const key of ['K', 'ctrl-k', 'r', 'space', 'v', 'A', 'U']) {
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

describe('keys as Ink reports them', () => {
  const key = (some: Partial<Key> = {}) => some as Key;
  test.each<[string, string, Partial<Key>, string[]]>([
    ['an arrow', '', { upArrow: true }, ['up']],
    ['Enter', '\r', { return: true }, ['enter']],
    ['the key that erases', '', { delete: true }, ['backspace']],
    ['Shift-Tab', '', { tab: true, shift: true }, ['shift-tab']],
    ['Esc', '', { escape: true, meta: true }, ['esc']],
    ['Ctrl-K', 'k', { ctrl: true }, ['ctrl-k']],
    ['Esc and a key at once', 'q', { meta: true }, ['esc', 'q']],
    ['several at once', 'jjK', {}, ['j', 'j', 'K']],
    ['text and Enter at once', 'ab 김\r', {}, ['a', 'b', 'space', '김', 'enter']],
    ['a control character among others', 'a\u0003', {}, ['a', 'ctrl-c']],
    ['a key that nobody knows', '[1;9Q', {}, []],
  ])('%s', (_, input, flags, keys) => expect(keysOf(input, key(flags))).toEqual(keys));
});
