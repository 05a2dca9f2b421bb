/**
 * The totals of vitest's JSON report, "passed failed skipped", and below them each test that failed or was skipped, a
 * line each: node .ci/count.mjs REPORT EXIT-CODE. Or the files in which one failed: node .ci/count.mjs REPORT --failed-files
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const [, , file, exit] = process.argv;
let report = {};
try {
  report = JSON.parse(readFileSync(file, 'utf8'));
} catch {
  // No report: vitest didn't come that far, which counts as one failure.
}
const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0, testResults = [] } = report;
if (exit === '--failed-files') {
  for (const { name, status } of testResults) if (status === 'failed') console.log(relative(process.cwd(), name));
  process.exit();
}
// A test file that can't be loaded has no failed test, nor has an error outside of any.
const failed = exit === '0' ? numFailedTests : Math.max(1, numFailedTests);
console.log(numPassedTests, failed, numPendingTests + numTodoTests);

const firstLine = (text = '') => stripVTControlCharacters(text).trim().split('\n')[0].slice(0, 200);
for (const { name, status, message, assertionResults } of testResults) {
  const where = relative(process.cwd(), name);
  const odd = assertionResults.filter((test) => test.status !== 'passed');
  for (const test of odd)
    console.log(`${test.status}: ${where} > ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  if (status === 'failed' && odd.length === 0) console.log(`failed: ${where}: ${firstLine(message)}`);
}
