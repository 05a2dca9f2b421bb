/**
 * The rules for src/sessions/scripts/*.lua. The same text runs on Redis (Lua 5.1) and on fengari (Lua 5.3 with 32-bit
 * integers), so it keeps off everything in which the two differ, and off everything that blocks Redis.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'src/sessions/scripts');
const files = readdirSync(folder).filter((file) => file.endsWith('.lua'));
const texts = new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
/** Scripts of their own; the others are included by them. */
const scripts = files.filter((file) => ![...texts.values()].some((text) => text.includes(`-- @include ${file}`)));

/** The comments at the top, up to the first line of code. */
function header(lua: string): string {
  return lua
    .split('\n')
    .filter((line) => !line.startsWith('#!'))
    .join('\n')
    .split(/^(?!--)/m)[0]!;
}

/** What runs: no shebang, no comments, and nothing left of strings but their quotes. */
function code(lua: string): string {
  return lua
    .replace(/^#!.*/, '')
    .replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|--.*/g, (match) => (match.startsWith('--') ? '' : "''"));
}

/** The numbers that a part of the header names: `KEYS  1 session   2 role` names 1 and 2. */
function named(head: string, part: 'KEYS' | 'ARGV'): number[] {
  const rest = head.split(new RegExp(`^-- ${part} +`, 'm'))[1]?.split(/^-- (?:KEYS|ARGV|Returns) /m)[0] ?? '';
  return [...rest.matchAll(/(?:^|\n-- *| {2,})(\d+) /g)].map((match) => Number(match[1]));
}

function used(lua: string, part: 'KEYS' | 'ARGV'): number[] {
  const numbers = [...code(lua).matchAll(new RegExp(`${part}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1]));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

const FORBIDDEN: Record<string, RegExp> = {
  'arithmetic with * / % ^ or //': /[*/%^]/,
  'arithmetic on what came as text':
    /[-+]\s*(?:tonumber|ARGV|redis)\b|\b(?:tonumber\([^()]*(?:\([^()]*\))?[^()]*\)|ARGV\[\d+\])\s*[-+]/,
  'concatenation with ..': /(?<!\.)\.\.(?!\.)/,
  'tostring and formatting': /\b(?:tostring|string\.format)\b/,
  unpack: /\bunpack\b/,
  'library that is not everywhere': /\b(?:cjson|cmsgpack|struct|bit|os|io|debug)\b/,
};

/** Commands whose cost grows with the number of sessions. */
const BLOCKING = [
  'KEYS',
  'SMEMBERS',
  'HGETALL',
  'HKEYS',
  'HVALS',
  'SORT',
  'SUNION',
  'SINTER',
  'SDIFF',
  'FLUSHALL',
  'FLUSHDB',
];

test('there are scripts', () => {
  expect(scripts.length).toBeGreaterThan(0);
});

describe.each(files)('%s', (file) => {
  const lua = texts.get(file)!;

  test.each(Object.entries(FORBIDDEN))('has no %s', (_, forbidden) => {
    const lines = code(lua).split('\n');
    expect(lines.filter((line) => forbidden.test(line))).toEqual([]);
  });

  test('calls by a command in plain sight, and none that blocks Redis', () => {
    const calls = [...lua.matchAll(/redis\.p?call\(\s*([^,)\s]*)/g)].map((match) => match[1]!);
    for (const call of calls) {
      expect(call).toMatch(/^'[A-Z]+'$/);
      expect(BLOCKING).not.toContain(call.slice(1, -1));
    }
  });
});

describe.each(scripts)('%s', (file) => {
  const lua = texts.get(file)!;
  const head = header(lua);

  test('begins with #!lua and says what it does', () => {
    expect(lua).toMatch(/^#!lua(?: flags=[a-z,-]+)?\n-- [A-Z]/);
  });

  test('names what it returns', () => {
    expect(head).toMatch(/^-- Returns /m);
  });

  test('names each key and argument that it uses, and no other', () => {
    expect(head).toMatch(/^-- KEYS {2}/m);
    // Over a page of keys a script has no numbers to name.
    if (!/#KEYS/.test(code(lua))) expect(named(head, 'KEYS')).toEqual(used(lua, 'KEYS'));
    expect(named(head, 'ARGV')).toEqual(used(lua, 'ARGV'));
  });
});

describe('the rules see', () => {
  const seen = (lua: string) => Object.keys(FORBIDDEN).filter((rule) => FORBIDDEN[rule]!.test(code(lua)));

  test.each([
    'local a = b * 2',
    'local a = b / 2',
    'local a = b // 2',
    'local a = b % 2',
    'local a = tonumber(ARGV[1]) + 1',
    'local a = tonumber(redis.call("GET", KEYS[1])) - 1',
    'local a = ARGV[1] + 1',
    'local a = 1 + ARGV[1]',
    'local a = now - tonumber(ARGV[1])',
    'local a = b .. c',
    'local a = tostring(b)',
    'local a = string.format("%d", b)',
    'redis.call("DEL", unpack(KEYS))',
    'redis.call("DEL", table.unpack(KEYS))',
    'local a = cjson.decode(b)',
    'local a = bit.band(b, c)',
  ])('%s', (lua) => {
    expect(seen(lua)).not.toEqual([]);
  });

  test.each([
    '-- half of it: a / 2, a .. b',
    "local a = 'a .. b / c * d'",
    'for i = 1, #KEYS, 3 do found[#found + 1] = text(KEYS[i + 2]) end',
    "if tonumber(schema) > tonumber(ARGV[7]) then return {'NEWER', schema} end",
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])",
    "local endless = redis.call('PTTL', KEYS[3]) == -1",
  ])('nothing wrong in: %s', (lua) => {
    expect(seen(lua)).toEqual([]);
  });
});

test('scripts.gen.ts is made from them as they are', () => {
  const tsx = join(root, 'node_modules/.bin/tsx');
  expect(() => execFileSync(tsx, ['scripts/generate.ts', '--check'], { cwd: root, encoding: 'utf8' })).not.toThrow();
});
