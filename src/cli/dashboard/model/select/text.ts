/** Figures as they are shown. */
import { formatAge } from '../../../../common/time.ts';
import type { ActOutcome } from '../state.ts';
import type { Cell, Tone } from '../views.ts';

export const cell = (text: string, tone: Tone = 'plain'): Cell => ({ text, tone });

/** What is not known. */
export const UNKNOWN = cell('-', 'dim');

const WITH_COMMAS = new Intl.NumberFormat('en-US');

/** `12,412` */
export const thousands = (count: number): string => WITH_COMMAS.format(count);

/** `2 sessions`, `1 session` */
export function plural(count: number, one: string): string {
  return `${thousands(count)} ${one}${count === 1 ? '' : 's'}`;
}

/** `0.4/s`, `11/s`, `3.3k/s`; `-` when it isn't known. */
export function perSecond(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return '-';
  if (rate < 9.95) return `${rate === 0 ? '0' : rate.toFixed(1)}/s`;
  if (rate < 999.5) return `${Math.round(rate)}/s`;
  return rate < 99_950 ? `${(rate / 1000).toFixed(1)}k/s` : `${Math.round(rate / 1000)}k/s`;
}

/** `0.4 ms`, `120 ms` */
export const milliseconds = (ms: number): string => `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** `14:27:02`, local time. @param at milliseconds since 1970 */
export const timeOfDay = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** `41 %`: below 100 until it is all. */
export function percent(part: number, whole: number): string {
  return whole <= 0 ? '' : `${Math.min(99, Math.floor((100 * part) / whole))} %`;
}

/** `118 MB` */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;

export const age = (ms: number): string => formatAge(ms);

/** What became of a session, as it stands in its row. */
export function outcomeCell(outcome: ActOutcome): Cell {
  if (outcome === 'kicked' || outcome === 'refreshed') return cell(outcome, 'good');
  return cell(outcome, outcome === 'already_gone' ? 'dim' : 'bad');
}
