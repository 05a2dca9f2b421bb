/** The line that is drawn in its place: what reaches the terminal. */
import { describe, expect, test } from 'vitest';
import { LiveLine } from '../../src/demo/live.ts';

function opened(columns = 80) {
  let written = '';
  const over = new AbortController();
  const line = new LiveLine({
    out: async (text) => {
      written += text;
    },
    size: () => ({ columns }),
  });
  return { line, over, written: () => written };
}

const CLEAR = '\r\x1b[K';

describe('the live line', () => {
  test('is drawn over, never scrolled, and stays below what is noted', async () => {
    const { line, over, written } = opened();
    await line.open(over.signal);
    await line.draw('one');
    await line.draw('two');
    await line.note('kept\n');
    await line.close();
    expect(written()).toBe(`\x1b[?25l${CLEAR}one${CLEAR}two${CLEAR}kept\ntwo${CLEAR}two\n\x1b[?25h`);
  });

  test('is never as wide as the terminal', async () => {
    const { line, over, written } = opened(10);
    await line.open(over.signal);
    await line.draw('0123456789abc');
    expect(written()).toBe(`\x1b[?25l${CLEAR}012345678`);
  });

  test('gives the cursor back once, at the signal, and draws nothing after it', async () => {
    const { line, over, written } = opened();
    await line.open(over.signal);
    await line.draw('one');
    over.abort();
    const then = written();
    expect(then.endsWith('one\n\x1b[?25h')).toBe(true);
    await line.draw('two');
    await line.close();
    expect(written()).toBe(then);
    await line.note('a last word\n');
    expect(written()).toBe(`${then}a last word\n`);
  });
});
