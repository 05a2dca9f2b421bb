/** Bytes of a terminal to keys: however they are cut, nothing that isn't a key becomes one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Input, InputParser } from '../../../src/cli/dashboard/input.ts';

const ESC = '\x1b';

/** What these reads mean in the end, as short as possible: keys by name, pastes as `paste:text`. */
function read(...chunks: string[]): string[] {
  const parser = new InputParser();
  const inputs: Input[] = chunks.flatMap((chunk) => parser.push(chunk));
  return [...inputs, ...parser.flush()].map((one) => (one.type === 'key' ? one.key : `paste:${one.text}`));
}

test.each<[string, string, string[]]>([
  ['arrows', `${ESC}[A${ESC}[B${ESC}OC${ESC}OD${ESC}[1;1A`, ['up', 'down', 'right', 'left', 'up']],
  ['edges', `${ESC}[H${ESC}[F${ESC}OH${ESC}[1~${ESC}[4~${ESC}[8~`, ['home', 'end', 'home', 'home', 'end', 'end']],
  ['pages', `${ESC}[5~${ESC}[6~`, ['pageup', 'pagedown']],
  ['Enter, also of the number pad', `\r\n${ESC}OM`, ['enter', 'enter', 'enter']],
  ['keys that erase', `\x7f\b${ESC}[3~`, ['backspace', 'backspace', 'delete']],
  ['Tab and Shift-Tab', `\t${ESC}[Z`, ['tab', 'shift-tab']],
  ['Esc, once and twice', ESC, ['esc']],
  ['Esc twice', ESC + ESC, ['esc', 'esc']],
  ['Esc and Ctrl-C', `${ESC}\x03`, ['ctrl-c']],
  ['several at once', 'jjK', ['j', 'j', 'K']],
  ['text and Enter', 'ab 김🙂\r', ['a', 'b', 'space', '김', '🙂', 'enter']],
  ['control characters', '\x03\x1a\x15', ['ctrl-c', 'ctrl-z', 'ctrl-u']],
  ['Alt and a key', `${ESC}q${ESC}K${ESC}\r${ESC}김j`, ['j']],
  ['an answer about a colour', `${ESC}]11;rgb:0000/0000/0000\x07j`, ['j']],
  ['an answer that ends in ST', `${ESC}]11;rgb:rrrr${ESC}\\j`, ['j']],
  ['answers to other questions', `${ESC}P>|xterm(r)${ESC}\\${ESC}_Gi=1;OK${ESC}\\${ESC}[?62;c${ESC}[12;5Rj`, ['j']],
  ['an answer that is broken off', `${ESC}]11;rgb:\x03`, ['ctrl-c']],
  ['a sequence that is broken off', `${ESC}[1;\x03`, ['ctrl-c']],
  ['keys of the Linux console', `${ESC}[[A${ESC}[[E`, []],
  ['keys of other protocols', `${ESC}[99;5u${ESC}[27;5;13~${ESC}[<0;10;10M`, []],
  [
    'a paste with an escape sequence',
    `${ESC}[200~see ${ESC}[36mblue${ESC}[0m\r${ESC}[201~j`,
    [`paste:see ${ESC}[36mblue${ESC}[0m\r`, 'j'],
  ],
  ['the end of a paste alone', `${ESC}[201~`, []],
])('%s', (_, bytes, keys) => expect(read(bytes)).toEqual(keys));

describe('whatever a keyboard may send', () => {
  const finals = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz~'];

  test('with modifiers it means nothing', () => {
    for (let modifier = 2; modifier <= 16; modifier++) {
      for (const final of finals) {
        expect(read(`${ESC}[1;${modifier}${final}`)).toEqual([]);
        expect(read(`${ESC}O${modifier}${final}`)).toEqual([]);
      }
    }
  });

  test('without, it is one key at most, and no letter', () => {
    const known = ['up', 'down', 'left', 'right', 'home', 'end', 'shift-tab', 'enter'];
    for (const final of finals) {
      for (const bytes of [`${ESC}[${final}`, `${ESC}O${final}`, `${ESC}[[${final}`]) {
        expect([[], ...known.map((key) => [key])]).toContainEqual(read(bytes));
      }
    }
    for (let number = 0; number < 300; number++) expect(read(`${ESC}[${number}~`).join()).not.toMatch(/^.$/);
  });
});

test('a paste waits for its end, is kept in bounds, and Ctrl-C ends one whose end got lost', () => {
  const parser = new InputParser();
  expect(parser.push(`${ESC}[200~`)).toEqual([]);
  for (let i = 0; i < 100; i++) expect(parser.push('K\r'.repeat(1000))).toEqual([]);
  expect(parser.waits).toBe(null);
  expect(parser.flush()).toEqual([]);
  const [pasted, ...more] = parser.push(`${ESC}[201~`);
  expect(pasted).toMatchObject({ type: 'paste' });
  expect(pasted?.type === 'paste' && pasted.text.length).toBeLessThan(20_000);
  expect(more).toEqual([]);
  expect(parser.push(`${ESC}[200~abc`)).toEqual([]);
  expect(parser.push('\x03')).toEqual([{ type: 'key', key: 'ctrl-c' }]);
});

test('half a sequence is no key when its end does not come', () => {
  for (const half of [`${ESC}[`, `${ESC}[1;5`, `${ESC}O`, `${ESC}]11;rgb:`, `${ESC}P`, `${ESC}]11;r${ESC}`]) {
    expect(read(half)).toEqual([]);
  }
});

test('cut anywhere it means the same', () => {
  const pieces = fc.constantFrom(
    'j', 'K', ' ', '\r', '\t', '김', '🙂', ESC, `${ESC}[A`, `${ESC}[1;5P`, `${ESC}OH`, `${ESC}O5Q`, `${ESC}[15~`,
    `${ESC}]11;rgb:0/0/0\x07`, `${ESC}]0;r${ESC}\\`, `${ESC}P1$r${ESC}\\`, `${ESC}_x${ESC}\\`, `${ESC}[[C`, `${ESC}x`,
    `${ESC}[200~K\t\r${ESC}[36mr${ESC}[0m${ESC}[201~`, '\x9b', '[', 'O', ';1', '~',
  ); // biome-ignore format: a line of pieces
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), fc.array(fc.nat(60), { maxLength: 12 }), (parts, cuts) => {
      const text = parts.join('');
      const chars = [...text];
      const at = [...new Set(cuts)].filter((cut) => cut < chars.length).sort((a, b) => a - b);
      const chunks = [0, ...at].map((from, i) => chars.slice(from, at[i] ?? chars.length).join(''));
      expect(read(...chunks)).toEqual(read(text));
    }),
    { numRuns: 2000 },
  );
});

test('nothing at all makes it fail', () => {
  const bytes = fc.array(
    fc.constantFrom(ESC, '[', ']', 'O', 'P', '1', ';', '~', 'A', '\x07', '\\', '\x9c', 'r', '\x00'),
  );
  fc.assert(
    fc.property(bytes, (all) => {
      read(...all);
      read(all.join(''));
    }),
    { numRuns: 2000 },
  );
});
