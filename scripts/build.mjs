// Bundles the program into dist/: cli.cjs, which every start loads; server.cjs with the two commands that run the server,
// and top.mjs with the dashboard, which would make every other start slower. CommonJS is what Node starts fastest
// (docs/decisions/0001), Ink can only be an ES module (0005); what a command imports dynamically is in its file too, and
// only evaluated when that command runs.
// Runs as `prepare`, so that `npm ci` leaves a working `npx wssess`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, 'dist');

/** Of package.json, whose version the program says, nothing else is bundled. */
const manifest = join(root, 'package.json');
const versionAlone = {
  name: 'version-alone',
  setup({ onLoad }) {
    onLoad({ filter: /package\.json$/ }, ({ path }) => {
      if (path !== manifest) return undefined;
      const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none', // THIRD-PARTY-LICENSES has them, whole
  define: { 'process.env.NODE_ENV': '"production"' },
  metafile: true,
  logLevel: 'warning',
};

/** For cli.cjs: the commands of server.cjs are required from there. Bundles meet as CommandModules, and share no class. */
const serverApart = {
  name: 'server-apart',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/commands\/(serve|demo)\.ts$/ }, ({ path }) => ({ path, namespace: 'apart' }));
    onResolve({ filter: /^\.\/server\.cjs$/ }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /.*/, namespace: 'apart' }, ({ path }) => ({
      contents: `module.exports = require('./server.cjs').${/(serve|demo)\.ts$/.exec(path)[1]};`,
    }));
  },
};

/** For cli.cjs and server.cjs: `top` is imported from its own file. */
const topApart = {
  name: 'top-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/top\.ts$/ }, () => ({ path: './top.mjs', external: true }));
  },
};

/**
 * For top.mjs, what Ink lacks for a screen that is drawn for days. It has no devtools here; it forgets in time what texts
 * it measured, all of them else; and it puts rows below each other as they are, where it would take each apart into an
 * object a character, which was two thirds of the CPU and half of the memory of a large screen.
 */
const inkTamed = {
  name: 'ink-tamed',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'export default {};' }));
    onLoad({ filter: /ink\/build\/measure-text\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const contents = source.replace('cache.set(', 'if (cache.size > 2000) cache.clear();\n    cache.set(');
      if (contents === source) throw new Error(`${path} is not what it was: look at inkTamed anew`);
      return { contents };
    });
    onLoad({ filter: /ink\/build\/output\.js$/ }, () => ({ contents: ROWS }));
  },
};

/** Ink's Output for texts that lie side by side or below each other, and never over each other. */
const ROWS = `export default class Output {
  rows = [];
  constructor({ height }) {
    this.height = height;
  }
  write(x, y, text, { transformers }) {
    for (let [i, line] of text.split('\\n').entries()) {
      for (const transform of transformers) line = transform(line, i);
      this.rows[y + i] = (this.rows[y + i] ?? '').padEnd(x) + line;
    }
  }
  clip() {}
  unclip() {}
  get() {
    const lines = Array.from({ length: this.height }, (_, y) => (this.rows[y] ?? '').trimEnd());
    return { output: lines.join('\\n'), height: this.height };
  }
}`;

const commands = "export * as serve from './serve.ts'; export * as demo from './demo.ts';";

const bundles = await Promise.all([
  build({
    ...COMMON,
    entryPoints: ['src/cli/main.ts'],
    outfile: join(outdir, 'cli.cjs'),
    plugins: [versionAlone, serverApart, topApart],
  }),
  build({
    ...COMMON,
    stdin: { contents: commands, resolveDir: join(root, 'src/cli/commands'), loader: 'ts' },
    outfile: join(outdir, 'server.cjs'),
    plugins: [versionAlone, topApart],
  }),
  build({
    ...COMMON,
    format: 'esm',
    entryPoints: ['src/cli/commands/top.ts'],
    outfile: join(outdir, 'top.mjs'),
    jsx: 'automatic',
    // For the CommonJS packages inside, which require Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [versionAlone, inkTamed],
  }),
]);
writeLicences(bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs)));

/** Writes dist/THIRD-PARTY-LICENSES: the licence text of every package that the bundle contains. */
function writeLicences(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const at = input.lastIndexOf('node_modules/');
    if (at < 0) continue;
    const name = input.slice(at + 'node_modules/'.length).match(/^(@[^/]+\/)?[^/]+/)[0];
    folders.add(join(root, input.slice(0, at), 'node_modules', name));
  }
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license}`;
    return `${name} ${version}\n\n${text}\n`;
  });
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES'), texts.join(`\n${'-'.repeat(72)}\n\n`));
}
