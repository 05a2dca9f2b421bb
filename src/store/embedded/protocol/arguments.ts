/** Arguments of commands as Redis reads them, and numbers as it writes them. */
import { Fault } from './reply.ts';

export const syntaxError = (): Fault => new Fault('ERR syntax error');
export const wrongType = (): Fault => new Fault('WRONGTYPE Operation against a key holding the wrong kind of value');

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** A 64-bit integer, strictly: no `+`, spaces or leading zeros. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= MIN && value <= MAX ? value : undefined;
}

export const fitsInt64 = (value: bigint): boolean => value >= MIN && value <= MAX;

/**
 * An integer for counts, ranks and times, which beyond 2^53 need not be exact.
 * @throws Fault with `message`
 */
export function integer(text: string | undefined, message = NOT_AN_INTEGER): number {
  const value = text === undefined ? undefined : parseInt64(text);
  if (value === undefined) throw new Fault(message);
  return Number(value);
}

/** As `integer`, and at least 0. Redis' getPositiveLongFromObjectOrReply(). */
export function natural(text: string | undefined): number {
  const message = 'ERR value is out of range, must be positive';
  const value = integer(text, message);
  if (value < 0) throw new Fault(message);
  return value;
}

/** What strtod() reads, all of `text` and no more; undefined for anything else and for NaN. */
function strtod(text: string): number | undefined {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+/, '');
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return Number(trimmed);
  const infinite = /^([+-]?)inf(inity)?$/i.exec(trimmed);
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  const hex = /^([+-]?)0x([\da-f]+)\.?$/i.exec(trimmed);
  return hex ? Number(`0x${hex[2]}`) * (hex[1] === '-' ? -1 : 1) : undefined;
}

/** A score. @throws Fault `ERR value is not a valid float` */
export function float(text: string | undefined, message = 'ERR value is not a valid float'): number {
  const value = text === undefined || /^\s/.test(text) ? undefined : strtod(text);
  const saysInfinity = value !== undefined && /inf/i.test(text!);
  const lost = value === 0 && /^[^e]*[1-9]/i.test(text!) && !/^[+-]?0x/i.test(text!);
  if (value === undefined || (Number.isFinite(value) ? lost : !saysInfinity)) throw new Fault(message);
  return value;
}

/** An end of a range of scores: a score, or one behind `(` that isn't part of the range itself. */
export interface Bound {
  score: number;
  exclusive: boolean;
}

export function bound(text: string): Bound {
  const exclusive = text.startsWith('(');
  const rest = exclusive ? text.slice(1) : text;
  const score = rest === '' ? 0 : strtod(rest);
  if (score === undefined) throw new Fault('ERR min or max is not a float');
  return { score, exclusive };
}

/** A double as C's `%.17g`, which Redis 7.0 answers and stores. */
export function formatDouble(value: number): string {
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '-inf';
  if (Number.isNaN(value)) return 'nan';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const [mantissa, power] = toExponential16(value).split('e') as [string, string];
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 17) return withoutZeros(fixed(mantissa, exponent));
  return `${withoutZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** 17 digits. Between two of them C takes the even one, JavaScript the larger. */
function toExponential16(value: number): string {
  const exact = value.toExponential(50);
  const isTie = /^-?\d\.\d{15}[02468]50+e/.test(exact);
  return isTie ? exact.replace(/50+e/, 'e') : value.toExponential(16);
}

/** The same digits without an exponent of -4 to 16. */
function fixed(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

const withoutZeros = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0*$/, '') : digits);
