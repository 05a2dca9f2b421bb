/** What reaches the terminal: only lines that changed, each in its place, and nothing that wipes a screen. */
import { describe, expect, test } from 'vitest';
import { Painter } from '../../../../src/cli/dashboard/screen/painter.ts';
import { displayWidth } from '../../../../src/cli/output/width.ts';

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

describe('what terminals measure differently', () => {
  const row = (text: string) => {
    const painter = new Painter();
    painter.paint([''], 40);
    return painter.paint([text], 40).slice('\x1b[?2026h\x1b[1;1H'.length, -'\x1b[?2026l'.length);
  };

  test.each(['⚠️', '1️⃣', '✊🏿', '🏳️‍🌈', 'ก็', 'กำ', 'नि', '🙂'])(
    '%s stands in a blank place, and the rest in its own',
    (odd) => {
      const wide = displayWidth(odd);
      const bytes = row(`ab${odd}cd`);
      expect(bytes).toBe(`\x1b[Kab${' '.repeat(wide)}\x1b[3G${odd}\x1b[${3 + wide}Gcd`);
    },
  );

  test('looks go on around it', () => {
    expect(row('\x1b[7m⚠️ a\x1b[0m b')).toBe('\x1b[K\x1b[7m   \x1b[1G⚠️\x1b[4Ga\x1b[0m b');
  });

  test('what is wider than thought may take the spaces behind it', () => {
    expect(row('ab ทำ  cd')).toBe(
      `\x1b[Kab ${' '.repeat(displayWidth('ทำ') + 2)}\x1b[4Gทำ\x1b[${6 + displayWidth('ทำ')}Gcd`,
    );
  });

  test('Hangul, CJK and lines of boxes are no reason', () => {
    for (const text of ['상담원 김', '日本語カナ', '│ a ┃ ▁▂█', '▸● ✕ …']) expect(row(text)).toBe(`${text}\x1b[K`);
  });
});
