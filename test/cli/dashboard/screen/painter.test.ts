/** What reaches the terminal: only lines that changed, each in its place, and nothing that wipes a screen. */
import { expect, test } from 'vitest';
import { Painter } from '../../../../src/cli/dashboard/screen/painter.ts';

const sync = (bytes: string) => `\x1b[?2026h${bytes}\x1b[?2026l`;

test('the first frame is drawn over whatever is there; the next ones send what changed', () => {
  const painter = new Painter();
  expect(painter.paint(['one', 'two'], 10)).toBe(sync('\x1b[H\x1b[J\x1b[1;1Hone\x1b[K\x1b[2;1Htwo\x1b[K'));
  expect(painter.paint(['one', 'two'], 10)).toBe('');
  expect(painter.paint(['one', 'TWO'], 10)).toBe(sync('\x1b[2;1HTWO\x1b[K'));
});

test('a line of the whole width is not erased at its end', () => {
  const painter = new Painter();
  expect(painter.paint(['12345', '김철a'], 5)).toBe(sync('\x1b[H\x1b[J\x1b[1;1H12345\x1b[2;1H김철a'));
});

test('what is no longer there goes', () => {
  const painter = new Painter();
  painter.paint(['one', 'two', 'three'], 10);
  expect(painter.paint(['one'], 10)).toBe(sync('\x1b[2;1H\x1b[J'));
});

test('what nobody knows any more is drawn anew', () => {
  const painter = new Painter();
  painter.paint(['one'], 10);
  painter.forget();
  expect(painter.paint(['one'], 10)).toBe(sync('\x1b[H\x1b[J\x1b[1;1Hone\x1b[K'));
});
