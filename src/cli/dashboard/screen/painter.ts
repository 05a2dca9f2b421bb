// biome-ignore-all lint/suspicious/noControlCharactersInRegex: bytes for a terminal are what this file makes

/**
 * Frames to bytes: only the lines that changed are sent, each to its place. Nothing is scrolled and no screen is erased,
 * so that nothing flickers and nobody's scrollback is touched.
 */
import { displayWidth } from '../../output/width.ts';

const ESC = '\x1b[';
/** A terminal that knows it shows what is between at once. */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;

export class Painter {
  #shown: readonly string[] = [];
  #known = false;

  /** What is on the screen is unknown: after a resize, after somebody else wrote there. */
  forget(): void {
    this.#known = false;
    this.#shown = [];
  }

  /** @returns what makes the screen show these lines; '' when it does */
  paint(lines: readonly string[], columns: number): string {
    let bytes = this.#known ? '' : `${ESC}H${ESC}J`;
    for (const [row, text] of lines.entries()) {
      if (text === this.#shown[row]) continue;
      bytes += `${ESC}${row + 1};1H${PLAIN.test(text) ? plain(text, columns) : placed(text)}`;
    }
    if (lines.length < this.#shown.length) bytes += `${ESC}${lines.length + 1};1H${ESC}J`;
    this.#shown = [...lines];
    this.#known = true;
    return bytes === '' ? '' : `${BEGIN}${bytes}${END}`;
  }
}

/** What every terminal measures alike, and SGR sequences. Of letters, those of one code point. */
const PLAIN = /^(?:\x1b\[[\d;]*m|[\x20-\x7e·…←-↓↵─-▟▸●◌◐✓✕가-힣一-鿿ぁ-ゖァ-ヺ])*$/;
const SGR = /(\x1b\[[\d;]*m)/;
const graphemes = new Intl.Segmenter();

function plain(text: string, columns: number): string {
  // In the last column "erase to the end" would erase what was just written.
  return displayWidth(text) < columns ? `${text}${ESC}K` : text;
}

/**
 * A line with emoji, marks and scripts of which terminals disagree how wide they are: what follows them stands in its own
 * column all the same, so that they can spoil their own place at most. The spaces behind them are theirs too.
 */
function placed(text: string): string {
  let bytes = `${ESC}K`;
  let column = 1;
  for (const part of text.split(SGR)) {
    if (SGR.test(part)) {
      bytes += part;
      continue;
    }
    for (const { odd, plain } of runs(part)) {
      const blank = /^ */.exec(plain)![0];
      const next = column + displayWidth(odd) + blank.length;
      // Spaces first: they have the looks of the line, should the terminal take fewer columns.
      if (odd) bytes += `${' '.repeat(next - column)}${ESC}${column}G${odd}${ESC}${next}G${plain.slice(blank.length)}`;
      else bytes += plain;
      column = next + displayWidth(plain) - blank.length;
    }
  }
  return bytes;
}

/** A text in pieces, each of what is measured differently and then of what is not; either may be ''. */
function runs(text: string): { odd: string; plain: string }[] {
  const all = [{ odd: '', plain: '' }];
  for (const { segment } of graphemes.segment(text)) {
    const last = all.at(-1)!;
    if (PLAIN.test(segment)) last.plain += segment;
    else if (last.plain === '') last.odd += segment;
    else all.push({ odd: segment, plain: '' });
  }
  return all;
}
