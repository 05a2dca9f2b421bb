/**
 * The filter of the sessions: plain words, `user:` `role:` `node:` `ip:`. All terms must match.
 *
 * A word is a piece of the id, user, role, node, address or agent, in any case. A field compares the whole value as it
 * is written, with `*` for anything: two nodes may differ in case alone. `node:(foreign)` and `role:(none)` find who has
 * none. What has spaces is quoted: `user:"Kim Lee"`.
 */
import type { Session } from '../../../sessions/model.ts';
import { NO_NODE, NO_ROLE } from '../../../sessions/selection.ts';

const FIELDS = ['user', 'role', 'node', 'ip'] as const;
type Field = (typeof FIELDS)[number];

interface Term {
  /** null: a word. */
  field: Field | null;
  text: string;
  /** It was quoted: a `*` in it is a star. */
  quoted: boolean;
}

export interface Filter {
  /** It selects something: not simply all. */
  isSelective: boolean;
  fits(session: Session): boolean;
  /** Set when only sessions of this user can match: they are looked up, nothing is walked. */
  user: string | null;
  /** Words that may be an id or a user as a whole: looked up before the walk. */
  exact: readonly string[];
}

/** Words looked up at once; more than these are found by the walk alone. */
const MOST_EXACT = 3;

const NO_FILTER: Filter = { isSelective: false, fits: () => true, user: null, exact: [] };
/** In place of a text that is no filter. */
export const NO_MATCH: Filter = { isSelective: true, fits: () => false, user: null, exact: [] };

/** @returns what is wrong with it, as one line, when it is no filter */
export function parseFilter(text: string): Filter | string {
  const terms = termsOf(text);
  if (typeof terms === 'string') return terms;
  if (terms.length === 0) return NO_FILTER;
  const tests = terms.map(testOf);
  const exactUser = terms.find(({ field, text: user, quoted }) => field === 'user' && (quoted || !user.includes('*')));
  const words = terms.filter(({ field }) => field === null).map(({ text: word }) => word);
  return {
    isSelective: true,
    fits: (session) => tests.every((test) => test(session)),
    user: exactUser?.text ?? null,
    exact: exactUser ? [] : words.slice(0, MOST_EXACT),
  };
}

/** The filter that shows one value of a field, as it would be typed. */
export function fieldFilter(field: Field, value: string): string {
  const bare = value !== '' && !/[\s"*\\]/.test(value);
  return `${field}:${bare ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
}

/** `field:` or nothing; then a quoted text or one without spaces. */
const TERM = /\s*(?:([A-Za-z]+):)?(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|(\S+)|(?=\s|$))/uy;

function termsOf(text: string): Term[] | string {
  const terms: Term[] = [];
  TERM.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TERM.lastIndex < trimmed.length) {
    const [, name, quoted, bare = ''] = TERM.exec(trimmed)!;
    if (quoted === undefined && bare.startsWith('"')) return 'a quote is not closed';
    const value = quoted?.replace(/\\(.)/gu, '$1') ?? bare;
    const field = FIELDS.find((one) => one === name?.toLowerCase());
    if (name !== undefined && field === undefined) {
      // `fe80::1` and `abcd:…` are pieces of addresses.
      if (!/^[a-f]+$/i.test(name) || quoted !== undefined) {
        return `no field ${name}: there are ${FIELDS.join(', ')}; quote what has a colon`;
      }
      terms.push({ field: null, text: `${name}:${value}`, quoted: false });
    } else if (field !== undefined && quoted === undefined && bare === '') {
      return `${field}: what is missing after it`;
    } else if (field !== undefined || value !== '') {
      terms.push({ field: field ?? null, text: value, quoted: quoted !== undefined });
    }
  }
  return terms;
}

function testOf({ field, text, quoted }: Term): (session: Session) => boolean {
  if (field === null) {
    const piece = text.toLowerCase();
    const has = (value: string | null | undefined) => value?.toLowerCase().includes(piece) ?? false;
    return ({ id, user, role, details }) =>
      has(id) || has(user) || has(role) || has(details?.node) || has(details?.ip) || has(details?.userAgent);
  }
  // What is shown where there is none; quoted it is meant as it is written.
  const isNone = !quoted && ((field === 'node' && text === NO_NODE) || (field === 'role' && text === NO_ROLE));
  const fits = valueTest(isNone ? '' : text, !quoted);
  return (session) => fits(fieldOf(session, field));
}

function fieldOf({ user, role, details }: Session, field: Field): string {
  if (field === 'user') return user;
  return (field === 'role' ? role : field === 'node' ? details?.node : details?.ip) ?? '';
}

function valueTest(wanted: string, wild: boolean): (value: string) => boolean {
  if (!wild || !wanted.includes('*')) return (value) => value === wanted;
  // Piece by piece and not as a pattern: a hostile filter of many stars stays linear.
  const pieces = wanted.split('*');
  const [head, tail] = [pieces[0]!, pieces.at(-1)!];
  return (value) => {
    if (value.length < head.length + tail.length || !value.startsWith(head) || !value.endsWith(tail)) return false;
    const end = value.length - tail.length;
    let at = head.length;
    for (const piece of pieces.slice(1, -1)) {
      const found = value.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
