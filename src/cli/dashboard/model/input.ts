/** A line of text being typed: pure. The caret stands between characters as people see them. */
import type { Input } from './state.ts';

export const emptyInput: Input = { text: '', caret: 0 };

/** A line with the caret behind its end. */
export function inputOf(text: string): Input {
  return { text, caret: text.length };
}

const graphemes = new Intl.Segmenter();

/** Line breaks of what was pasted are spaces; other control characters are left out. */
export function insert({ text, caret }: Input, typed: string): Input {
  const clean = typed.replace(/[\r\n\t]+/g, ' ').replace(/\p{Cc}/gu, '');
  return { text: text.slice(0, caret) + clean + text.slice(caret), caret: caret + clean.length };
}

export function erase(input: Input, what: 'back' | 'forward' | 'word' | 'line'): Input {
  const { text, caret } = input;
  if (what === 'forward') return { text: text.slice(0, caret) + text.slice(after(input)), caret };
  const from = { back: before(input), word: text.slice(0, caret).search(/\S*\s*$/), line: 0 }[what];
  return { text: text.slice(0, from) + text.slice(caret), caret: from };
}

export function moveCaret(input: Input, to: 'left' | 'right' | 'start' | 'end'): Input {
  const caret = { left: before(input), right: after(input), start: 0, end: input.text.length }[to];
  return { ...input, caret };
}

function before({ text, caret }: Input): number {
  return graphemes.segment(text.slice(0, caret)).containing(caret - 1)?.index ?? 0;
}

function after({ text, caret }: Input): number {
  const next = graphemes.segment(text.slice(caret)).containing(0);
  return caret + (next?.segment.length ?? 0);
}
