/**
 * What clients supplied, made harmless: for terminals and log lines (visible), for fields of one line (headline), for JSON
 * (safeJson), for fields with a limit in bytes (cutUtf8).
 */

/**
 * What moves the cursor, hides, or turns text around: controls, format characters, line and paragraph separators,
 * lone surrogates, and letters without a shape (Hangul fillers). Marks are left alone: variation selectors and the
 * like belong to what stands before them.
 */
const UNSAFE = /(?!\p{M})[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** At most four pictures make one emoji (a family); a longer chain would be drawn wider than anyone measures it. */
const PICTURE = String.raw`\p{Extended_Pictographic}`;
const JOINED_EMOJI = String.raw`${PICTURE}(?:[\uFE0F\u{1F3FB}-\u{1F3FF}]?\u200D${PICTURE}){1,3}`;

/** No script stacks more marks on a letter; "zalgo" stacks dozens and paints over its neighbours. */
const MAX_MARKS = 8;

const TO_SHOW = new RegExp(`${JOINED_EMOJI}|(\\p{M}{${MAX_MARKS}})\\p{M}+|${UNSAFE.source}`, 'gu');
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * `text` as one line that is safe on a terminal and in a log. Control and format characters, line separators, lone
 * surrogates and shapeless letters become `\n`, `\r`, `\t`, `\xNN` (below 0x100) or `\u{HEX}`; the zero width joiner
 * stays inside an emoji. A run of more than 8 combining marks is cut to 8 and `…`. Idempotent.
 *
 * A backslash is not doubled, so that an id like `DOMAIN\user` reads as it is typed. The result is therefore for
 * eyes only: it cannot be turned back.
 */
export function visible(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text;
  return text.replace(TO_SHOW, (match: string, marks: string | undefined) => {
    if (marks !== undefined) return `${marks}…`;
    const code = match.codePointAt(0) ?? 0;
    if (match.length > String.fromCodePoint(code).length) return match; // an emoji
    return SHORT[match] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 1)}}`);
  });
}

/** The first line of `text` that isn't blank, as `visible` has it; '' if there is none. */
export function headline(text: string): string {
  return visible(/\S.*/.exec(text)?.[0].trimEnd() ?? '');
}

/**
 * JSON that is harmless on a terminal: it parses to the same value as `JSON.stringify(value, null, indent)`, and what
 * `visible` would escape is written as `\uXXXX`. What JSON has no word for (undefined, a function) is `null`.
 *
 * @param indent spaces a level; without it one line
 * @throws TypeError on a cycle or a bigint, as JSON.stringify does
 */
export function safeJson(value: unknown, indent?: number): string {
  const json: string | undefined = JSON.stringify(value, null, indent);
  // JSON.stringify has escaped C0 already: a newline here is indentation. The rest can only stand inside strings.
  return (json ?? 'null').replace(UNSAFE, (char) => (char === '\n' ? char : utf16Escapes(char)));
}

/**
 * The longest beginning of `text` that takes at most `maxBytes` bytes of UTF-8; never half a character. A lone
 * surrogate counts as the U+FFFD that UTF-8 makes of it.
 *
 * @throws RangeError when `maxBytes` is no length
 */
export function cutUtf8(text: string, maxBytes: number): string {
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(maxBytes)).read);
}

function utf16Escapes(char: string): string {
  return Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join('');
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
