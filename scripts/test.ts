/**
 * The test command: `npm test [-- [--only-checks] [PATTERN]...]`.
 *
 * Runs every check, starts what the tests need, runs every test file in a process of its own, and ends with a line that counts.
 * Nothing stops at the first failure. With patterns, only the test files whose path contains one of them run, without the checks.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { atOnce } from '../src/base/at-once.ts';
import { argumentsOf } from './arguments.ts';
import { CHECKS, ROOT, runCheck } from './testing/checks.ts';
import { type Failed, failureLines } from './testing/failures.ts';
import { runFiles, testFiles } from './testing/files.ts';
import { processesMarked } from './testing/leaks.ts';
import type { FileResult } from './testing/run-file.ts';
import { type Services, startServices } from './testing/services.ts';
import { isGood, NOTHING, sentence, skipLines, strict, sum, type Tally } from './testing/tally.ts';

/** Far more than any file needs on a machine three times slower than ours: only what hangs meets it. */
const FILE_TIMEOUT_MS = 12 * 60_000;
/** Files at a time: they wait, for servers and disks, about half of the time. More than eight would meet at the same disk. */
const CONCURRENCY = Math.min(8, 2 * availableParallelism());
/** Checks at a time; they compute. */
const CHECKS_AT_ONCE = 2;

const USAGE = `npm test [-- [--only-checks] [PATTERN]...]: every check and every test.

  --only-checks  the checks alone
  PATTERN        only test files whose path contains it, without the checks`;

const { values, positionals } = argumentsOf(USAGE, {
  options: { 'only-checks': { type: 'boolean' } },
  allowPositionals: true,
});
const inCi = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';

const tallies: Tally[] = [];
const failed: Failed[] = [];
const files = values['only-checks'] === true ? [] : testFiles(ROOT, positionals);
const services = startServices(files, (line) => console.log(line)); // while the checks run
if (positionals.length === 0) tallies.push(await checks());
if (values['only-checks'] !== true) tallies.push(await tests(files, await services));
const total = inCi ? strict(sum(tallies)) : sum(tallies);
for (const line of skipLines(sum(tallies).skips)) console.log(line);
if (inCi && total.failed > sum(tallies).failed)
  console.log('  CI is set: what was skipped for want of something counts as failed');
for (const line of failureLines(failed)) console.log(line);
process.exitCode = isGood(total) ? 0 : 1;
console.log(sentence(total));

async function checks(): Promise<Tally> {
  console.log('Checks');
  const results: Tally[] = [];
  await atOnce(CHECKS_AT_ONCE, CHECKS, async (check) => {
    const started = performance.now();
    const { passed, output } = await runCheck(check);
    printLine(passed, check.name, (performance.now() - started) / 1000);
    if (!passed) {
      printIndented(output);
      failed.push({ what: check.name, text: output });
    }
    results.push(passed ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 });
  });
  return sum(results);
}

async function tests(files: readonly string[], services: Services): Promise<Tally> {
  if (files.length === 0) {
    console.log(`No test file matches ${positionals.join(', ')}.`);
    return NOTHING;
  }
  const directory = mkdtempSync(join(tmpdir(), 'hft-'));
  chmodSync(directory, 0o755);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abandon(directory));
  try {
    console.log(`Tests: ${files.length} files, ${CONCURRENCY} at a time`);
    const env = {
      ...{ ...process.env, ...services.env, HOLDFAST_TOOLS: join(tmpdir(), 'holdfast-tools') },
      NODE_COMPILE_CACHE: sharedDirectory(directory, 'compiled'),
      HOLDFAST_TEST_CLUSTERS: sharedDirectory(directory, 'clusters'),
      XDG_CACHE_HOME: sharedDirectory(directory, 'cache'),
    };
    const results = await runFiles({
      ...{ root: ROOT, files, directory, env, concurrency: CONCURRENCY, timeoutMs: FILE_TIMEOUT_MS },
      onResult: printFile,
    });
    return sum(results.map((result) => result.tally));
  } finally {
    await services.stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A directory that test files share during this run, whichever account their programs run as. */
function sharedDirectory(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  chmodSync(path, 0o1777);
  return path;
}

/** Interrupted: nothing that a test file started stays behind. The shared services end by themselves when we do. */
function abandon(directory: string): never {
  for (const { pid } of processesMarked(directory)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended by itself in between
    }
  }
  rmSync(directory, { recursive: true, force: true });
  console.log('interrupted');
  process.exit(130);
}

function printFile({ file, tally, problems, failed: ofFile, output }: FileResult, seconds: number): void {
  printLine(tally.failed === 0, `${file}  ${sentence(tally)}`, seconds);
  for (const problem of problems) console.log(`    ${problem}`);
  if (tally.failed > 0) printIndented(output);
  failed.push(...ofFile.map(({ what, text }) => ({ what: `${file} › ${what}`, text })));
}

function printLine(passed: boolean, text: string, seconds: number): void {
  console.log(`${passed ? '✔' : '✖'} ${text}  ${seconds.toFixed(1)} s`);
}

function printIndented(output: string): void {
  console.log(output.trimEnd().replaceAll(/^/gm, '    '));
}
