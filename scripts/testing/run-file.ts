/** Runs one test file in a process of its own, counts its tests, and looks at what it left behind. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { killGroup } from '../../test/support/run.ts';
import type { Failed } from './failures.ts';
import { filesLeft, MARK, mountsBelow, processesMarked } from './leaks.ts';
import type { TestLine } from './reporter.ts';
import type { Tally } from './tally.ts';

const REPORTER = fileURLToPath(new URL('./reporter.ts', import.meta.url));
/** How long processes that were told to stop may take to be gone once their test file has ended. */
const GRACE_MS = 10_000;
/** How much of what a file printed last is shown with a problem of the whole file, in characters. */
const LAST_WORDS = 4_000;

export interface FileRun {
  readonly file: string;
  /** A directory of its own, which becomes the file's TMPDIR; removed afterwards. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

export interface FileResult {
  readonly file: string;
  readonly tally: Tally;
  /** What went wrong beside failed tests: timed out, ended early, left something behind. */
  readonly problems: readonly string[];
  /** Every test that failed, and every problem, with what was said. */
  readonly failed: readonly Failed[];
  /** Everything the file printed. */
  readonly output: string;
}

export async function runFile({ file, directory, env, timeoutMs }: FileRun): Promise<FileResult> {
  const temp = join(directory, 't');
  mkdirSync(temp, { recursive: true });
  for (const path of [directory, temp]) chmodSync(path, 0o1777); // servers run as another account need to get here
  const lines = join(directory, 'tests.jsonl');
  const printed = join(directory, 'output.txt');
  const mark = directory;

  const ending = await start(file, { ...env, TMPDIR: temp, [MARK]: mark }, lines, printed, timeoutMs);
  const all = existsSync(lines) ? readFileSync(lines, 'utf8').split('\n').flatMap(parseLine) : [];
  const tests = all.filter(({ outcome }) => outcome !== 'begin');
  const tally = count(tests);
  const problems = [...ending(tests.length, tally.failed, unfinished(all)), ...(await cleanUp(mark, temp))];
  const output = readFileSync(printed, 'utf8');
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  const failed = [...failures(tests), ...problems.map((what) => ({ what, text: output.slice(-LAST_WORDS) }))];
  return { file, tally: { ...tally, failed: tally.failed + problems.length }, problems, failed, output };
}

/** Runs the file; gives back what to make of its ending, given how many tests it reported, how many failed, and which were under way. */
async function start(file: string, env: NodeJS.ProcessEnv, lines: string, printed: string, timeoutMs: number) {
  const reporters = [
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${REPORTER}`, `--test-reporter-destination=${lines}`],
  ];
  const log = openSync(printed, 'w'); // a file and not a pipe: a server left behind could hold a pipe open for ever
  const child = spawn(process.execPath, [...reporters, file], { env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, timeoutMs);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve([code, signal]));
  });
  clearTimeout(timer);

  return (tests: number, failed: number, underWay: readonly string[]): string[] => {
    if (timedOut) return [`did not end within ${timeoutMs / 1000} s and was killed${during(underWay)}`];
    if (code !== 0 && failed === 0) return [`ended with ${code ?? signal} although no test failed`];
    if (tests === 0) return ['has no tests'];
    return [];
  };
}

function count(tests: readonly TestLine[]): Tally {
  const failed = tests.filter((test) => test.outcome === 'fail');
  return {
    passed: tests.filter((test) => test.outcome === 'pass' && test.kind === 'test').length,
    // a suite fails with its tests, but also alone, when its hooks do
    failed: failed.filter((test) => test.kind === 'test').length || failed.length,
    skips: tests
      .filter((test) => test.outcome === 'skip')
      .map((test) => ({ test: test.name, reason: test.reason ?? 'no reason given' })),
  };
}

/** Ends and removes what the file left behind, and says what it was. */
async function cleanUp(mark: string, temp: string): Promise<string[]> {
  const problems: string[] = [];
  await untilGone(mark);
  for (const { pid, command } of processesMarked(mark)) {
    problems.push(`left running: ${command} (process ${pid})`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended by itself in between
    }
  }
  if (problems.length > 0) await untilGone(mark);
  for (const point of mountsBelow(temp)) {
    problems.push(`left mounted: ${point}`);
    spawnSync('umount', ['--lazy', point]);
  }
  const files = filesLeft(temp);
  if (files.length > 0) problems.push(`left in the temporary directory: ${files.slice(0, 5).join(', ')}`);
  return problems;
}

async function untilGone(mark: string): Promise<void> {
  for (let waited = 0; processesMarked(mark).length > 0 && waited < GRACE_MS; waited += 100) await sleep(100);
}

/** Nothing for a line that is torn, because its process was killed. */
function parseLine(line: string): TestLine[] {
  try {
    return [JSON.parse(line) as TestLine];
  } catch {
    return [];
  }
}

function failures(tests: readonly TestLine[]): Failed[] {
  return tests.flatMap(({ outcome, name, within = [], error }) =>
    outcome === 'fail' && error !== undefined ? [{ what: [...within, name].join(' › '), text: error }] : [],
  );
}

/** Names of what began and never ended, the innermost last. */
function unfinished(lines: readonly TestLine[]): string[] {
  const begun: string[] = [];
  for (const { name, outcome } of lines) {
    if (outcome === 'begin') begun.push(name);
    else if (begun.includes(name)) begun.splice(begun.indexOf(name), 1);
  }
  return begun;
}

function during(names: readonly string[]): string {
  return names.length === 0 ? '' : `, during "${names.join(' › ')}"`;
}
