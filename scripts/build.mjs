// Bundles the program into dist/: cli.cjs, which every start loads, and server.cjs with the two commands that run the
// server, which would make every other start slower. CommonJS is what Node starts fastest (docs/decisions/0001); what a
// command imports dynamically is in its file too, and only evaluated when that command runs.
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

/** For cli.cjs: the commands of server.cjs are required from there. They meet as CommandModules, and share no class. */
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
const commands = "export * as serve from './serve.ts'; export * as demo from './demo.ts';";

const [cli, server] = await Promise.all([
  build({
    ...COMMON,
    entryPoints: ['src/cli/main.ts'],
    outfile: join(outdir, 'cli.cjs'),
    plugins: [versionAlone, serverApart],
  }),
  build({
    ...COMMON,
    stdin: { contents: commands, resolveDir: join(root, 'src/cli/commands'), loader: 'ts' },
    outfile: join(outdir, 'server.cjs'),
    plugins: [versionAlone],
  }),
]);
writeLicences([cli, server].flatMap(({ metafile }) => Object.keys(metafile.inputs)));

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
