// Bundles the CLI into dist/: one entry, a chunk a command, so that a start loads what it runs and no more.
// Runs as `prepare`, so that `npm ci` leaves a working `npx wssess`.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, 'dist');

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli/main.ts' },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minify: true,
  keepNames: true,
  legalComments: 'none', // THIRD-PARTY-LICENSES has them, whole
  define: { 'process.env.NODE_ENV': '"production"' },
  // Bundled CommonJS packages (ioredis, commander, ws) call require() for node's own modules.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  metafile: true,
  logLevel: 'warning',
});
writeLicences(Object.keys(metafile.inputs));
// What an earlier build left goes last, so that a program that runs meanwhile finds its chunks.
const made = new Set(['THIRD-PARTY-LICENSES', ...Object.keys(metafile.outputs).map((path) => basename(path))]);
for (const file of readdirSync(outdir)) if (!made.has(file)) rmSync(join(outdir, file), { recursive: true });

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
