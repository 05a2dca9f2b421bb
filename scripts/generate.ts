/**
 * Makes what is generated from the code: `npm run gen`; with --check it only says what is not current.
 *   src/sessions/scripts.gen.ts   from src/sessions/scripts/*.lua
 *   docs/settings.md              from src/common/settings.ts
 *   docs/errors.md                from src/common/errors.ts
 *   docs/top.md                   from src/cli/dashboard/keymap.ts
 *   docs/protocol.md, its table   from the tests in test/protocol
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GROUPS, helped } from '../src/cli/dashboard/components/help.ts';
import { type Group, shownKey } from '../src/cli/dashboard/keymap.ts';
import { ERRORS } from '../src/common/errors.ts';
import { SETTINGS } from '../src/common/settings.ts';
import { withClauses } from './clauses.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'src/sessions/scripts');

const pages: Record<string, string> = {
  'src/sessions/scripts.gen.ts': scripts(),
  'docs/settings.md': settings(),
  'docs/errors.md': errors(),
  'docs/top.md': top(),
  'docs/protocol.md': withClauses(readFileSync(join(root, 'docs/protocol.md'), 'utf8')),
};

const stale = Object.entries(pages).filter(([path, text]) => {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  return true;
});
for (const [path] of stale) console.log(process.argv.includes('--check') ? `${path} is not current` : `wrote ${path}`);
if (process.argv.includes('--check') && stale.length > 0) {
  console.error('Run: npm run gen');
  process.exitCode = 1;
}

function scripts(): string {
  const included = new Set<string>();
  const sources = readdirSync(folder).filter((file) => file.endsWith('.lua'));
  const texts = sources.map((file) => {
    const lua = readFileSync(join(folder, file), 'utf8').replace(/^-- @include (\S+)$/gm, (_, name: string) => {
      included.add(name);
      return readFileSync(join(folder, name), 'utf8');
    });
    return [file, lua.replace(/^--.*\n/gm, '').replace(/\n{2,}/g, '\n')] as const;
  });
  const exported = texts
    .filter(([file]) => !included.has(file))
    .map(([file, lua]) => {
      const name = file.replace('.lua', '');
      const sha = createHash('sha1').update(lua).digest('hex');
      const text = lua.replace(/[`\\]|\$\{/g, '\\$&');
      return `export const ${name}: Script = {\n  name: '${name}',\n  sha: '${sha}',\n  readOnly: ${/^#!lua flags=.*no-writes/.test(lua)},\n  lua: \`${text}\`,\n};\n`;
    });
  const names = texts.filter(([file]) => !included.has(file)).map(([file]) => file.replace('.lua', ''));
  const all = `/** All of them: the only scripts that the embedded store runs. */\nexport const SCRIPTS: readonly Script[] = [${names.join(', ')}];\n`;
  return `// Made from scripts/*.lua by \`npm run gen\`.\nimport type { Script } from '../store/store.ts';\n\n${exported.join('\n')}\n${all}`;
}

function settings(): string {
  const rows = Object.values(SETTINGS).map(
    (one) =>
      `| ${one.flag && `\`${one.flag}\``} | \`${one.variable}\` | \`${one.key}\` | ${one.default ? `\`${one.default}\`` : ''} | ${one.help} |`,
  );
  return `# Settings

Made from \`src/common/settings.ts\` by \`npm run gen\`.

A flag wins over a variable, a variable over the default. \`wssess config\` prints each value and where it came from, a
secret as \`****\`. Secrets have no flag, which every user of a machine would see in \`ps\`. An empty variable is one that
is not set. A switch has no argument; its variable is \`true\` or \`false\`.
Durations are written \`500ms\`, \`2s\`, \`15m\`, \`24h\`, \`7d\`; a bare number is seconds. Bytes are written \`65536\`, \`64k\`, \`1m\`.

| flag | variable | key | default | what it does |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function errors(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, one]) => `| \`${code}\` | ${one.exit} | ${one.http} | ${one.when} | ${one.advice} |`,
  );
  return `# Errors

Made from \`src/common/errors.ts\` by \`npm run gen\`.

On the command line an error is one line: what, why, what to do. With \`-o json\` or \`-o jsonl\`, and in every REST
answer, it is \`{"error":{"code","message","advice"}}\`.

Exit codes: 0 ok, 1 no (offline, not found, failed), 2 usage, 3 partial, 4 not allowed, 5 Redis or a node unreachable.

| code | exit | HTTP | when | what to do |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function top(): string {
  const groups = (Object.keys(GROUPS) as Group[]).map((group) => {
    const rows = helped(group, false).map((one) => {
      const act = one.acts ? 'yes' : '';
      return `| \`${shownKey(one)}\` | ${one.help.replaceAll('|', '\\|')} | ${one.where.join(', ')} | ${act} |`;
    });
    return `### ${GROUPS[group]}\n\n| key | what it does | where | not with --read-only |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# wssess top

Made from \`src/cli/dashboard/keymap.ts\` by \`npm run gen\`.

\`wssess top\` (or \`dashboard\`) shows the live sessions of a Redis on a terminal of 80x24 or more, and lets you act on them.
It asks twice a second, and only for what is on the screen. Options: \`--filter TEXT\`, \`--read-only\`, and those that name
the Redis. Without a terminal there is \`wssess stats --watch\`.

## What is where

- The first line: which Redis, how fast it answers, how many nodes live, and whether what you see is live or stale. When
  Redis was away it comes back by itself; so does the embedded store, with the next \`wssess serve\` of the same state file.
- The second: counts, rates and their course over the last minutes (below). On 30 rows or more, the nodes and their
  sessions. While Redis does not answer, why, and what to do.
- The third: the panes and their numbers; the filter, how many match, and whether that is all of them yet.
- The table. \`▸\` is where keys act, \`●\` is marked, \`✕\` has ended or has lost its node. Rows may come and go: \`▸\` stays on
  its session, and a session that ends under it stays until you move on. From the right, columns give way to the width.
- The last line: the keys that mean something here, or what came of the last one.

| figure | means |
|---|---|
| SESSIONS, USERS | who is online, foreign sessions and their users included. \`~\`: about, \`+\`: at least, while they are still being counted |
| IN, OUT | sessions that came and that ended, a second, on all nodes |
| MSGS | messages that the nodes sent to clients, a second |
| KICKED | sessions that the nodes have thrown out since this dashboard was started |
| FOREIGN | sessions that another program wrote to this Redis, among SESSIONS; only where there are any |

Foreign sessions have \`(foreign)\` for their node: no \`wssess serve\` has their socket, so what only a node knows (idle,
counters, agent) is empty, and a kick changes nothing and is told as \`no_owner\`; \`wssess kick --purge\` removes their
keys. They are found by a walk: a sample of them stands at the end of the list, and a filter looks through all. Users who
have none but foreign sessions are counted and not listed in the pane of the users (\`17 of 23\`): \`wssess ls --by user\`
has them all.

## Filter

Words are looked for in id, user, role, node, IP and agent, in any case. \`user:\` \`role:\` \`node:\` \`ip:\` compare the whole,
as it is written, with \`*\` for anything; \`node:(foreign)\` and \`role:(none)\` are those without one. All must match. An
exact id or user is found at once; anything else is a walk through all sessions, whose progress stands beside the count
until the result is whole. \`/\` goes on with the filter that is there: Ctrl-U erases it.

## Keys

${groups.join('\n')}`;
}
