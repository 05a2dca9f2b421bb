/** Words of a typed line, quoted as Redis' sdssplitargs() reads them. */
import { flat } from '../data/flat.ts';

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const isSpace = (char: string | undefined): boolean => char !== undefined && /[\s\0]/.test(char);

/** @returns undefined for quotes that don't close, or that close in the middle of a word */
export function splitLine(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (isSpace(line[at])) at++;
    if (at >= line.length) return words;
    let word = '';
    while (at < line.length && !isSpace(line[at])) {
      const char = line[at]!;
      if (char !== '"' && char !== "'") {
        word += char;
        at++;
        continue;
      }
      const quoted = char === '"' ? doubleQuoted(line, at + 1) : singleQuoted(line, at + 1);
      if (quoted === undefined || (quoted.end < line.length && !isSpace(line[quoted.end]))) return undefined;
      word += quoted.text;
      at = quoted.end;
    }
    words.push(flat(word));
  }
}

type Quoted = { text: string; end: number } | undefined;

function doubleQuoted(line: string, from: number): Quoted {
  let text = '';
  for (let at = from; at < line.length; at++) {
    const char = line[at]!;
    if (char === '"') return { text, end: at + 1 };
    if (char !== '\\' || at + 1 >= line.length) {
      text += char;
      continue;
    }
    const hex = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
    text += hex ? String.fromCharCode(Number.parseInt(hex[1]!, 16)) : (ESCAPES[line[at + 1]!] ?? line[at + 1]!);
    at += hex ? 3 : 1;
  }
  return undefined;
}

function singleQuoted(line: string, from: number): Quoted {
  let text = '';
  for (let at = from; at < line.length; at++) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line[at] === '\\' && line[at + 1] === "'") at++;
    text += line[at];
  }
  return undefined;
}
