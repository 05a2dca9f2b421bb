/** The clauses of the STOMP specifications, as the tests in test/protocol name them: `STOMP 1.2 > section > clause`. */
import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const BEGIN = '<!-- clauses: made from the tests in test/protocol by `npm run gen` -->';
const END = '<!-- end of the clauses -->';

interface Clause {
  version: string;
  section: string;
  clause: string;
  file: string;
}

/** @returns the page with a new table between its markers */
export function withClauses(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page has no place for the clauses: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n${table(clauses())}\n${page.slice(end)}`;
}

/** The newest version first; of each the files by name, their sections as they come, and all clauses of one together. */
function clauses(): Clause[] {
  const all = listed().map(({ name, file }): Clause => {
    const [, version, section, clause] = /^STOMP (1\.[0-2]) > ([^>]+) > ([^>]+)$/.exec(name) ?? [];
    if (!version || !section || !clause) throw new Error(`${file}: not "STOMP 1.x > section > clause": ${name}`);
    return { version, section, clause, file: basename(file) };
  });
  const groups = new Map<string, Clause[]>();
  for (const one of all) {
    const key = `${one.version} ${one.file} ${one.section}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...groups.values()].sort(([a], [b]) => compare(b!.version, a!.version) || compare(a!.file, b!.file)).flat();
}

/** The tests by name; they are not run. */
function listed(): { name: string; file: string }[] {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const output = execFileSync(process.execPath, [vitest, 'list', 'test/protocol/', '--no-isolate', '--json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(output.slice(output.indexOf('[\n')));
}

function table(rows: Clause[]): string {
  const cell = (text: string) => text.replace(/[\\|*_<>`]/g, '\\$&');
  const lines = rows.map((one) => `| ${one.version} | ${one.section} | ${cell(one.clause)} | ${one.file} |`);
  return ['| STOMP | section | clause | test |', '|---|---|---|---|', ...lines].join('\n');
}
