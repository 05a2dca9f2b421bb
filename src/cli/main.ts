/** The entry of the CLI: the only place that turns a command's end into the exit code of the process. */
import { processIo } from './io.ts';
import { run } from './program.ts';

void run(process.argv.slice(2), processIo()).then((exit) => {
  process.exitCode = exit;
});
