// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what this file is about

/**
 * What a terminal sends, taken apart into keys by the names that the keymap has for them, and pasted text. Whatever else
 * it sends (keys nobody asked for, its answers to somebody's questions) is swallowed whole: its rest would be keys.
 */

/** `paste`: between the terminal's own brackets. */
export type Input = { type: 'key'; key: string } | { type: 'paste'; text: string };

const ESC = '\x1b';
const PASTE = { begin: `${ESC}[200~`, end: `${ESC}[201~` } as const;
/** Characters of a paste that are kept: no line takes more. */
const MOST_PASTED = 10_000;

const CONTROLS: Record<string, string> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  ' ': 'space',
};

const FINALS: Record<string, string> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift-tab',
};
const NUMBERED: Record<string, string> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
};

// A sequence at the beginning of a text: whole, or so far (then all of the text is it).
const CSI = /^\x1b\[(\[[\x20-\x7e]|[\x30-\x3f]*[\x20-\x2f]*[\x40-\x5a\x5c-\x7e])/;
const CSI_SO_FAR = /^\x1b\[(\[|[\x30-\x3f]*[\x20-\x2f]*)$/;
const SS3 = /^\x1bO[\d;]*[\x40-\x7e]/;
const SS3_SO_FAR = /^\x1bO[\d;]*$/;
/** An answer: OSC, DCS, APC, PM, SOS, up to ST or BEL. A control character ends it too, and then means itself. */
const ANSWER = /^\x1b[\]P_^X][^\x00-\x1f\x9c]*(?:\x07|\x1b\\|\x9c|(?=[\x00-\x1a\x1c-\x1f]|\x1b[^\\]))/;
const ANSWER_SO_FAR = /^\x1b[\]P_^X][^\x00-\x1f\x9c]*\x1b?$/;

/** Takes what was read, however it was cut. */
export class InputParser {
  /** The beginning of a sequence whose end has not come. */
  #rest = '';
  /** What was pasted so far; null: nothing is being pasted. */
  #pasted: string | null = null;

  /** What waits for its end: `esc` could be the key itself. A paste waits for as long as it takes. */
  get waits(): 'esc' | 'sequence' | null {
    if (this.#pasted !== null || this.#rest === '') return null;
    return this.#rest === ESC ? 'esc' : 'sequence';
  }

  push(text: string): Input[] {
    const inputs: Input[] = [];
    // A paste whose end got lost must not take the way out with it.
    if (this.#pasted !== null && text === '\x03') this.#pasted = null;
    this.#rest += text;
    while (this.#rest !== '') {
      const before = this.#rest;
      const taken = this.#pasted === null ? this.#take() : this.#takePasted();
      if (taken) inputs.push(taken);
      if (this.#rest === before) break;
    }
    return inputs;
  }

  /** Nothing followed: Esc was the key, and half a sequence was none. */
  flush(): Input[] {
    const waited = this.waits;
    if (waited === null) return [];
    this.#rest = '';
    return waited === 'esc' ? [key('esc')] : [];
  }

  /** One thing off the beginning of the rest; the rest stays as it is when its end has not come. */
  #take(): Input | undefined {
    const rest = this.#rest;
    if (rest[0] !== ESC) {
      const char = String.fromCodePoint(rest.codePointAt(0)!);
      this.#rest = rest.slice(char.length);
      return keyOf(char);
    }
    if (rest.length === 1) return undefined;
    if (rest.startsWith(PASTE.begin)) {
      this.#rest = rest.slice(PASTE.begin.length);
      this.#pasted = '';
      return undefined;
    }
    const whole = CSI.exec(rest) ?? SS3.exec(rest) ?? ANSWER.exec(rest);
    if (whole) {
      this.#rest = rest.slice(whole[0].length);
      return keyOfSequence(whole[0]);
    }
    if (CSI_SO_FAR.test(rest) || SS3_SO_FAR.test(rest) || ANSWER_SO_FAR.test(rest)) return undefined;
    return this.#takeAlt();
  }

  /** Esc and a key at once: Alt and that key, which mean nothing here. The ways out are never Alt's. */
  #takeAlt(): Input | undefined {
    const next = String.fromCodePoint(this.#rest.codePointAt(1)!);
    const isItself = next === ESC || next === '\x03' || next === '\x1a';
    // What is no sequence after all ends before the character that breaks it.
    const broken = /^\x1b[[O\]P_^X]/.test(this.#rest);
    const so = broken ? (/^\x1b.[\x20-\x3f]*/.exec(this.#rest)?.[0].length ?? 2) : 1 + (isItself ? 0 : next.length);
    this.#rest = this.#rest.slice(so);
    return next === ESC ? key('esc') : undefined;
  }

  #takePasted(): Input | undefined {
    const end = this.#rest.indexOf(PASTE.end);
    // The end may be cut in two.
    const until = end >= 0 ? end : this.#rest.length - begunAtEnd(this.#rest, PASTE.end);
    const text = ((this.#pasted ?? '') + this.#rest.slice(0, until)).slice(0, MOST_PASTED);
    this.#pasted = end >= 0 ? null : text;
    this.#rest = this.#rest.slice(end >= 0 ? end + PASTE.end.length : until);
    return end >= 0 ? { type: 'paste', text } : undefined;
  }
}

const key = (name: string): Input => ({ type: 'key', key: name });

function keyOf(char: string): Input | undefined {
  const code = char.codePointAt(0)!;
  if (code >= 0x80 && code < 0xa0) return undefined;
  if (CONTROLS[char]) return key(CONTROLS[char]);
  return key(code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : char);
}

/** Keys with modifiers mean nothing, except that Shift-Tab is one of its own. */
function keyOfSequence(sequence: string): Input | undefined {
  const [, params = '', final = ''] = /^\x1b[[O](?:1;1(?=[^\d~])|(\d*))([A-Z~])$/.exec(sequence) ?? [];
  if (final === '~' && sequence[1] === '[') return NUMBERED[params] ? key(NUMBERED[params]) : undefined;
  if (params !== '' && params !== '1') return undefined;
  if (final === 'M' && sequence[1] === 'O') return key('enter'); // of the number pad
  return FINALS[final] ? key(FINALS[final]) : undefined;
}

/** How many characters at the end of `text` may begin `word`. */
function begunAtEnd(text: string, word: string): number {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return length;
  }
  return 0;
}
