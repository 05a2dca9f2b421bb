/** Keys as Ink reports them, by the names that the keymap has for them. */
import type { Key } from 'ink';

const NAMED = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'], // Ink's name for what the key at the right of = sends
] as const satisfies readonly (readonly [keyof Key, string])[];

const CONTROLS: Record<string, string> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  ' ': 'space',
};

/** The terminal's own words for the beginning and the end of what is pasted, as Ink passes them on. */
export const PASTE = { begin: '[200~', end: '[201~' } as const;

/** The keys of one report: several when they came faster than they were read. */
export function keysOf(input: string, key: Key): string[] {
  if (key.tab) return [key.shift ? 'shift-tab' : 'tab'];
  const named = NAMED.find(([flag]) => key[flag]);
  if (named) return [named[1]];
  if (key.escape) return ['esc'];
  if (key.ctrl) return input.length === 1 ? [`ctrl-${input}`] : [];
  // Esc and a key that came at once read like Alt and that key, which means nothing here.
  if (key.meta) return ['esc', ...input];
  if (/^\[[\d;<?]*[~A-Za-z]$/.test(input)) return [];
  return [...input].map((char) => {
    const code = char.charCodeAt(0);
    return CONTROLS[char] ?? (code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : char);
  });
}
