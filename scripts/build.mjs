// Bundles the program into dist/cli.cjs. One CommonJS file is what Node starts fastest (docs/decisions/0001); what a
// command imports dynamically is in it too, and only evaluated when that command runs.
// Runs as `prepare`, so that `npm ci` leaves a working `npx wssess`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, 'dist');

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(outdir, 'cli.cjs'),
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
});
writeLicences(Object.keys(metafile.inputs));

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
