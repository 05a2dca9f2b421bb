/**
 * The import rules of biome.json bite: what each room must not import is written into a copy of the layout, and linted
 * there. Beside them, what a start of the CLI loads, which no lint rule can see.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** One line each: a module's name, or a whole statement. */
interface Imports {
  forbidden: string[];
  allowed: string[];
}

const ROOMS: Record<string, Imports> = {
  'src/x.ts': {
    forbidden: ['jose', 'ioredis'],
    allowed: ['./server/server.ts', './sessions/sessions.ts'],
  },
  'src/common/x.ts': {
    forbidden: [
      'jose',
      '../store/store.ts',
      '../sessions/keys.ts',
      '../server/log.ts',
      '../cli/io.ts',
      'ioredis',
      'ws',
    ],
    allowed: ['./errors.ts', 'node:crypto', '../../package.json'],
  },
  'src/store/x.ts': {
    forbidden: ['jose', '../sessions/keys.ts', '../server/log.ts', '../cli/io.ts', 'commander', 'ws'],
    allowed: ['ioredis', '../common/errors.ts', 'node:net'],
  },
  'src/store/embedded/x.ts': {
    forbidden: ['jose', '../../sessions/keys.ts', '../../server/log.ts'],
    allowed: ['../store.ts', '../../common/errors.ts'],
  },
  'src/sessions/x.ts': {
    forbidden: [
      'jose',
      '../server/log.ts',
      '../cli/io.ts',
      './../../src/server/log.ts',
      'commander',
      'ink',
      'react',
      'react/jsx-runtime',
      'ws',
      'node:http',
      'ioredis',
      'ioredis/built/index.js',
      // The same by every other way to import.
      "export { a } from '../server/log.ts';",
      "export * from '../server/log.ts';",
      "import '../server/log.ts';",
      "import type { b } from '../server/log.ts';",
      "export const c = () => import('../server/log.ts');",
      "export const d = await import('../../src/cli/io.ts');",
    ],
    allowed: ['./keys.ts', '../store/store.ts', '../common/errors.ts', "export const e = () => import('./keys.ts');"],
  },
  'src/server/x.ts': {
    forbidden: ['jose', 'ioredis', '../cli/io.ts', 'commander', 'ink', 'react'],
    allowed: ['node:http', '../sessions/sessions.ts', '../common/errors.ts', '../store/store.ts'],
  },
  'src/server/app/x.ts': {
    forbidden: ['ioredis', '../../cli/io.ts', '../../demo/stage.ts', 'commander', 'ink', 'react'],
    allowed: ['jose', 'jose/errors', 'node:https', '../rest/authority.ts', '../../sessions/model.ts'],
  },
  'src/server/rest/x.ts': {
    forbidden: ['jose', '../../cli/output/table.ts', "export const a = () => import('../../cli/io.ts');", 'ioredis'],
    allowed: ['../../sessions/kick.ts', '../doorkeeper.ts'],
  },
  'src/server/transport/x.ts': {
    forbidden: ['jose', '../../cli/io.ts', 'ioredis'],
    allowed: ['ws', 'node:stream'],
  },
  'src/server/connection/x.ts': {
    forbidden: [
      'jose',
      'ws',
      'node:net',
      'node:http',
      'ioredis',
      '../transport/websocket.ts',
      '../../store/store.ts',
      '../../cli/io.ts',
      "export const a = () => import('ws');",
    ],
    allowed: ['../transport/transport.ts', '../stomp/frame.ts', '../../sessions/model.ts'],
  },
  'src/server/stomp/x.ts': {
    forbidden: [
      'jose',
      'ws',
      'ioredis',
      'node:net',
      'node:http',
      'node:timers',
      'node:timers/promises',
      '../../sessions/model.ts',
      '../../store/store.ts',
      '../connection/connection.ts',
      './../connection/connection.ts',
      "export const a = () => import('../broker/broker.ts');",
    ],
    allowed: ['./frame.ts', 'node:buffer', '../../common/escape.ts'],
  },
  'src/server/broker/x.ts': {
    forbidden: [
      'ws',
      'ioredis',
      '../../store/store.ts',
      '../../sessions/bus.ts',
      '../connection/connection.ts',
      '../relay/relay.ts',
      '../../cli/io.ts',
    ],
    allowed: ['../stomp/frame.ts', '../transport/message.ts', '../refusal.ts'],
  },
  'src/server/relay/x.ts': {
    forbidden: ['ws', 'ioredis', '../../store/store.ts', '../connection/connection.ts', '../../cli/io.ts'],
    allowed: ['../../sessions/bus.ts', '../broker/other-nodes.ts', '../stomp/frame.ts'],
  },
  'src/server/broker/destinations.ts': {
    forbidden: [
      'jose',
      './deliver.ts',
      '../../sessions/model.ts',
      '../../store/store.ts',
      'node:net',
      'node:timers',
      'ws',
    ],
    allowed: ['../stomp/frame.ts', '../../common/escape.ts'],
  },
  'src/server/broker/queue.ts': {
    forbidden: ['jose', './deliver.ts', './queues.ts', '../connection/connection.ts', 'node:timers', 'ws'],
    allowed: ['../stomp/frame.ts'],
  },
  'src/server/broker/unacked.ts': {
    forbidden: ['jose', './desk.ts', '../connection/connection.ts', 'node:timers', 'ws'],
    allowed: ['../stomp/frame.ts'],
  },
  'src/cli/x.ts': {
    forbidden: [
      'jose',
      '../server/server.ts',
      'ioredis',
      'ws',
      "export const a = () => import('../server/server.ts');",
    ],
    allowed: ['commander', '../sessions/sessions.ts', "export const b = () => import('../store/connect.ts');"],
  },
  'src/cli/commands/who.ts': {
    forbidden: [
      'jose',
      '../../server/server.ts',
      "export const a = () => import('../../server/server.ts');",
      'ioredis',
    ],
    allowed: ['../../sessions/sessions.ts', '../io.ts', 'commander'],
  },
  'src/cli/commands/serve.ts': {
    forbidden: ['jose', 'ioredis', 'ws'],
    allowed: ["export const a = () => import('../../server/server.ts');", '../../sessions/sessions.ts'],
  },
  'src/cli/commands/demo.ts': {
    forbidden: ['jose', '../../server/server.ts', 'ioredis', 'ws', '@stomp/stompjs'],
    allowed: ["export const a = () => import('../../demo/stage.ts');", '../../store/store.ts', 'commander'],
  },
  'src/cli/output/x.ts': {
    forbidden: ['jose', 'ink', 'react', 'ws', '../../server/server.ts'],
    allowed: ['string-width', '../../sessions/model.ts'],
  },
  'src/cli/dashboard/x.tsx': {
    forbidden: ['jose', '../../server/server.ts', '../../demo/stage.ts', '../../store/connect.ts', 'ioredis', 'ws'],
    allowed: ['ink', 'react', './model/store.ts', '../../sessions/sessions.ts'],
  },
  'src/cli/dashboard/model/x.ts': {
    forbidden: [
      'jose',
      'ink',
      'react',
      'react/jsx-runtime',
      'ioredis',
      '../components/table.ts',
      '../panes/all.ts',
      '../screen/line.ts',
      '../../../server/server.ts',
    ],
    allowed: ['./state.ts', '../../../sessions/kick.ts', '../../output/agent.ts'],
  },
  'src/cli/dashboard/panes/x.ts': {
    forbidden: [
      'jose',
      'ink',
      'react',
      'ioredis',
      '../model/store.ts',
      '../model/selectors.ts',
      '../../../sessions/sessions.ts',
      '../../../store/connect.ts',
    ],
    allowed: ['../model/views.ts', '../model/state.ts', '../components/columns.ts', './sessions.ts'],
  },
  'src/cli/dashboard/components/x.ts': {
    forbidden: ['jose', 'ink', 'react', '../model/engine.ts', '../../../sessions/kick.ts', '../../../server/server.ts'],
    allowed: ['../model/views.ts', '../screen/line.ts', '../../output/width.ts', '../keymap.ts'],
  },
  'src/demo/x.ts': {
    forbidden: [
      'jose',
      '../cli/io.ts',
      "export const a = () => import('../cli/io.ts');",
      'ioredis',
      'commander',
      'ink',
      'react',
    ],
    allowed: ['../server/server.ts', '../store/store.ts', '../sessions/sessions.ts', '@stomp/stompjs', 'ws'],
  },
  ...Object.fromEntries(
    ['main', 'program', 'io'].map((name) => [
      `src/cli/${name}.ts`,
      {
        forbidden: ['jose', 'ink', 'react', 'ioredis', 'ws', '../server/server.ts', '../store/connect.ts'],
        allowed: ['commander', '../common/errors.ts', "export const a = () => import('./commands/who.ts');"],
      },
    ]),
  ),
};

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'wssess-lint-'));
/** Rules broken: file, line, name of the rule. */
let found: { file: string; line: number; rule: string }[] = [];

function write(file: string, ...lines: string[]): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), `${lines.join('\n')}\n`);
}

const linesOf = (file: string, rule: string): number[] =>
  found.flatMap((one) => (one.file === file && one.rule === rule ? [one.line] : [])).sort((a, b) => a - b);

beforeAll(() => {
  copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
  for (const [file, { forbidden, allowed }] of Object.entries(ROOMS)) {
    write(file, ...[...forbidden, ...allowed].map((one) => (one.includes(' ') ? one : `import '${one}';`)));
  }
  write('src/round/one.ts', "import { two } from './two.ts';", 'export const one = () => two;');
  write('src/round/two.ts', "import { one } from './one.ts';", 'export const two = () => one;');
  write('src/server/stomp/late.ts', 'setTimeout(() => {}, 1);');
  write('src/dropped.ts', 'async function work() {}', 'work();', 'void work();');

  // One run for all: each line names a file, a line and a rule.
  const biome = join(root, 'node_modules/.bin/biome');
  const { stdout } = spawnSync(biome, ['lint', '--reporter=github', '--max-diagnostics=none', 'src'], {
    cwd: folder,
    encoding: 'utf8',
  });
  found = [...stdout.matchAll(/^::error title=lint\/\w+\/(\w+),file=([^,]+),line=(\d+)/gm)].map(
    ([, rule, file, line]) => ({ rule: rule!, file: relative(folder, file!), line: Number(line) }),
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('who may know whom', () => {
  test.each(Object.keys(ROOMS))('%s', (file) => {
    const { forbidden, allowed } = ROOMS[file]!;
    const name = (line: number) => [...forbidden, ...allowed][line - 1];
    expect(linesOf(file, 'noRestrictedImports').map(name)).toEqual(forbidden);
  });

  test('no two modules import each other', () => {
    expect(linesOf('src/round/one.ts', 'noImportCycles')).toEqual([1]);
    expect(linesOf('src/round/two.ts', 'noImportCycles')).toEqual([1]);
  });

  test('the codec has no timer', () => {
    expect(linesOf('src/server/stomp/late.ts', 'noRestrictedGlobals')).toEqual([1]);
  });
});

test('a promise that nobody waits for is a fault', () => {
  expect(linesOf('src/dropped.ts', 'noFloatingPromises')).toEqual([2]);
});

test('what every start of the CLI loads has no ink, react, ioredis or ws in it', async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['react-devtools-core'],
    write: false,
    metafile: true,
  });
  const packages = new Set<string>();
  const seen = new Set<string>();
  const load = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const { inputs, imports } = metafile.outputs[file]!;
    for (const input of Object.keys(inputs)) packages.add(/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? '');
    for (const { path, kind, external } of imports) if (kind === 'import-statement' && !external) load(path);
  };
  load('dist/main.js');
  expect([...packages].filter((name) => name !== '').sort()).toEqual(['commander']);
});
