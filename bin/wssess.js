#!/usr/bin/env node
// Written so that an old Node can read it, and say that it is old.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(
    'error: wssess needs Node 20.19 or newer, this is ' + process.versions.node + '. Install a newer Node.',
  );
  process.exit(1);
}
var enableCompileCache = require('node:module').enableCompileCache; // since Node 22
if (enableCompileCache) enableCompileCache();
try {
  require('../dist/cli.cjs');
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND' || !/dist.cli\.cjs/.test(error.message)) throw error;
  console.error('error: dist/cli.cjs is missing. Run: npm run build');
  process.exit(1);
}
