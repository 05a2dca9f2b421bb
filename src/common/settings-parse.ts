/** What was written for a setting, checked and made a value. */
import { WssessError } from './errors.ts';
import type { Setting, Types } from './settings-type.ts';
import { formatDuration, parseDuration } from './time.ts';

const SWITCH = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** How to write a good one, where the bad one was written. */
function adviceOf({ type, choices, example, default: fallback }: Setting, source: string): string {
  if (type === 'secret') return 'Make one with: openssl rand -base64 32';
  const good = type === 'choice' ? choices?.[0] : (fallback ?? example ?? '');
  return `For example: ${source}${source.startsWith('--') ? ' ' : '='}${good}`;
}

/**
 * @param source the flag or variable that it came from
 * @throws WssessError `usage`
 */
export function parse(one: Setting, text: string, source: string): Types[keyof Types] {
  const wrong = (want: string): never => {
    const shown = one.type === 'secret' ? 'what it holds' : JSON.stringify(text);
    throw new WssessError('usage', `${source}: ${shown} is not ${want}`, { advice: adviceOf(one, source) });
  };
  if (text === '') {
    // A variable of the shell that isn't set, mostly; one of the environment that is empty counts as not set.
    throw new WssessError('usage', `${source}: "" is no value`, {
      advice: `Leave it out, or name the ${one.key.split('.')[1]}.`,
    });
  }
  const between = (value: number, show: (n: number) => string): number => {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = one;
    return value >= min && value <= max ? value : wrong(`between ${show(min)} and ${show(max)}`);
  };
  switch (one.type) {
    case 'text':
      return one.pattern && !one.pattern.test(text) ? wrong(one.takes ?? 'as it must be') : text;
    case 'choice': {
      const { choices = [] } = one;
      return choices.includes(text) ? text : wrong(`one of ${choices.join(', ')}`);
    }
    case 'switch':
      return SWITCH.get(text.toLowerCase()) ?? wrong('true or false');
    case 'secret': {
      const { min = 1, pattern } = one;
      if (Buffer.byteLength(text) < min) return wrong(`at least ${min} bytes long`);
      return pattern && !pattern.test(text) ? wrong('printable ASCII without spaces') : text;
    }
    case 'integer':
      return between(/^\d{1,15}$/.test(text) ? Number(text) : wrong('a whole number'), String);
    case 'bytes': {
      const parts = /^(\d{1,12})([km]?)$/i.exec(text) ?? wrong('a number of bytes, like 65536, 64k or 1m');
      const unit = { '': 1, k: 1 << 10, m: 1 << 20 }[parts[2]!.toLowerCase()]!;
      return between(Number(parts[1]) * unit, String);
    }
    case 'duration':
      return between(parseDuration(text) ?? wrong('a duration, like 2s, 15m, 24h or 7d'), formatDuration);
    case 'durations': {
      const both = text.split(',').map((part) => parseDuration(part.trim()));
      const [send, receive] = both;
      if (both.length !== 2 || send === undefined || receive === undefined) return wrong('two durations, like 10s,10s');
      return [between(send, formatDuration), between(receive, formatDuration)];
    }
  }
}
