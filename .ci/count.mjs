/** Prints the totals of vitest's JSON report, "passed failed skipped": node .ci/count.mjs REPORT EXIT-CODE */
import { readFileSync } from 'node:fs';

const [, , file, exit] = process.argv;
let report = {};
try {
  report = JSON.parse(readFileSync(file, 'utf8'));
} catch {
  // No report: vitest didn't come that far, which counts as one failure.
}
const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report;
// A test file that can't be loaded has no failed test, nor has an error outside of any.
const failed = exit === '0' ? numFailedTests : Math.max(1, numFailedTests);
console.log(numPassedTests, failed, numPendingTests + numTodoTests);
