/** Durations as they are typed and shown, and times as machines read them. All numbers are milliseconds. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LONGEST = 10 * 365 * DAY;
/** The longest delay that a timer of Node takes; a longer one would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
] as const;

/** `1d2h3m4s5ms`: each unit at most once, the larger first, one group a unit. */
const DURATION = new RegExp(`^${UNITS.map(([name]) => `(?:(\\d+)${name})?`).join('')}$`);

/**
 * The milliseconds that a setting like `500ms 2s 15m 24h 7d 1h30m` names; a bare number is seconds. Undefined when it
 * is no duration: decimals, a sign, spaces, units out of order, more than 10 years of 365 days.
 */
export function parseDuration(text: string): number | undefined {
  const amounts = DURATION.exec(/^\d+$/.test(text) ? `${text}s` : text)?.slice(1);
  if (amounts === undefined || text === '') return undefined;
  const ms = UNITS.reduce((sum, [, size], at) => sum + Number(amounts[at] ?? 0) * size, 0);
  return ms <= LONGEST ? ms : undefined;
}

/**
 * A duration as it is written in settings, exact to the millisecond: `2s`, `1h30m`, `24h`, `7d`. Days begin at two,
 * so that `24h` stays what it was typed as. parseDuration reads it back. What is no duration (negative, NaN) is `0s`.
 */
export function formatDuration(ms: number): string {
  let rest = floor(ms, 1);
  const units = rest < 2 * DAY ? UNITS.slice(1) : UNITS;
  let text = '';
  for (const [name, size] of units) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) text += `${amount}${name}`;
  }
  return text || '0s';
}

/**
 * An age or a remaining time for a table, two units at most, rounded down: `3s 1m2s 41m 2h14m 24h 2d4h 12d`; seconds
 * below 10 minutes, minutes below 2 days, hours below 10 days. Negative (clocks differ) or NaN is `0s`.
 */
export function formatAge(ms: number): string {
  const step = ms < 10 * MINUTE ? SECOND : ms < 2 * DAY ? MINUTE : ms < 10 * DAY ? HOUR : DAY;
  return formatDuration(floor(ms, step));
}

/**
 * A time in milliseconds since 1970, up to the year 9999, as RFC 3339 in UTC: `2026-11-21T23:02:05.123Z`.
 *
 * @throws RangeError when `ms` is no time (NaN)
 */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}

function floor(ms: number, step: number): number {
  return Number.isFinite(ms) && ms > 0 ? ms - (ms % step) : 0;
}
