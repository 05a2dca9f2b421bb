/** SCAN, SSCAN, ZSCAN. What their cursors promise is said in data/table.ts. */
import { formatDouble, integer, syntaxError } from '../protocol/arguments.ts';
import { matches } from '../protocol/glob.ts';
import { Fault, type Reply } from '../protocol/reply.ts';
import { type Handler, lower, type Rows } from './command.ts';
import { typeName } from './keys.ts';

const EMPTY: Reply = ['0', []];

/** 64 bits. */
const MOST_CURSOR = 0xffffffffffffffffn;

/** As strtoul() reads it; what lies beyond every place is an end. */
function cursorIn(text: string): number {
  const digits = /^[+-]?(\d*)$/.exec(text)?.[1];
  if (digits === undefined || BigInt(digits) > MOST_CURSOR) throw new Fault('ERR invalid cursor');
  return Number(text || 0);
}

interface Options {
  count: number;
  pattern: string;
  type: string | undefined;
}

function optionsOf(args: readonly string[], withType: boolean): Options {
  const options: Options = { count: 10, pattern: '*', type: undefined };
  for (let i = 0; i < args.length; i += 2) {
    const [option, value] = [lower(args[i]), args[i + 1]];
    if (value === undefined) throw syntaxError();
    if (option === 'count') {
      options.count = integer(value);
      if (options.count < 1) throw syntaxError();
    } else if (option === 'match') options.pattern = value;
    else if (option === 'type' && withType) options.type = value.toLowerCase();
    else throw syntaxError();
  }
  return options;
}

const scan: Handler = ([text, ...rest], { db }) => {
  const cursor = cursorIn(text!);
  const { count, pattern, type } = optionsOf(rest, true);
  const found: string[] = [];
  const next = db.scan(cursor, count, (key, value) => {
    if ((type === undefined || typeName(value) === type) && matches(pattern, key)) found.push(key);
  });
  return [String(next), found];
};

const sscan: Handler = ([key, text, ...rest], { db }) => {
  const cursor = cursorIn(text!);
  const set = db.set(key!);
  if (!set) return EMPTY;
  const { count, pattern } = optionsOf(rest, false);
  const found: string[] = [];
  const next = set.table.scan(cursor, count, (member) => {
    if (matches(pattern, member)) found.push(member);
  });
  return [String(next), found];
};

const zscan: Handler = ([key, text, ...rest], { db }) => {
  const cursor = cursorIn(text!);
  const set = db.sortedSet(key!);
  if (!set) return EMPTY;
  const { count, pattern } = optionsOf(rest, false);
  const found: string[] = [];
  const next = set.table.scan(cursor, count, ({ member, score }) => {
    if (matches(pattern, member)) found.push(member, formatDouble(score));
  });
  return [String(next), found];
};

export const scans: Rows = {
  scan: [-2, 'readonly', scan],
  sscan: [-3, 'readonly', sscan],
  zscan: [-3, 'readonly', zscan],
};
