/** How many columns text takes on a terminal: the one measure of layout and cutting. */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter();

/** What takes one column a character, beside what takes two: Hangul. Nearly all that is ever measured. */
const SIMPLE = /^[\x20-\x7e·…←-↓─-▟▸●◌◐✓✕가-힣]*$/;
const HANGUL = /[가-힣]/g;

/** Columns that `text` (one line) takes on a terminal: 2 for Hangul or an emoji, 0 for a mark, 0 for an SGR sequence. */
export function displayWidth(text: string): number {
  const bare = text.includes('\x1b') ? stripVTControlCharacters(text) : text;
  if (SIMPLE.test(bare)) return bare.length + (bare.match(HANGUL)?.length ?? 0);
  return stringWidth(bare);
}

/** `text` in at most `max` columns: whole if it fits, else cut between characters as people see them, with a `…`. */
export function cutToWidth(text: string, max: number): string {
  if (displayWidth(text) <= max) return text;
  if (max < 1) return '';
  let end = 0;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += displayWidth(segment);
    if (width > max - 1) break;
    end += segment.length;
  }
  return `${text.slice(0, end)}…`;
}

/** `text` in lines of at most `max` columns, broken at spaces where there are any; never an empty line but for ''. */
export function wrapToWidth(text: string, max: number): string[] {
  const lines: string[] = [];
  let line = '';
  const end = () => {
    lines.push(line.trimEnd());
    line = '';
  };
  for (const word of text.split(/(?<= )/)) {
    if (line !== '' && displayWidth(line + word.trimEnd()) > max) end();
    for (const { segment } of graphemes.segment(word)) {
      if (line !== '' && segment !== ' ' && displayWidth(line + segment) > max) end();
      line += segment;
    }
  }
  end();
  return lines;
}
