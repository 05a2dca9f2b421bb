#!/usr/bin/env node
// Written so that an old Node can read it, and say that it is old.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error('error: wssess needs Node 20.19 or newer, this is ' + process.versions.node + '. Install a newer Node.');
  process.exit(1);
}
import('node:module')
  .then(function (module) {
    if (module.enableCompileCache) module.enableCompileCache(); // Node 22: a third of the start-up
    return import('../dist/cli.js');
  })
  .catch(function (error) {
    var missing = error && error.code === 'ERR_MODULE_NOT_FOUND';
    console.error(missing ? 'error: dist/ is missing. Run: npm run build' : error);
    process.exit(1);
  });
