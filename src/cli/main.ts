/** The entry of the CLI: the only place that turns errors into exit codes, and that touches the process. */
import { processIo } from './io.ts';
import { run } from './program.ts';

const io = processIo();
process.exitCode = await run(process.argv.slice(2), io);
