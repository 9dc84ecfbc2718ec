/** The process around the command line: signals, mistakes that nobody caught, the end. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../base/clock.ts';
import { asFailure, EXIT } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { BuildInfo } from '../cli/context.ts';
import { failureStatusOf, type Registration } from '../cli/registration.ts';
import { registry } from '../cli/registry.ts';
import { failureText } from '../cli/report.ts';
import { runCommandLine } from '../cli/run.ts';
import { supervision } from './supervision.ts';
import { terminalOf } from './terminal.ts';

/** `registrations` are the commands there are; a test brings its own. */
export async function main(registrations?: readonly Registration[]): Promise<never> {
  endClearlyOnMistakes(registrations);
  const stop = interruptSignal();
  const supervisor = supervision(process.env, (reason) => stop.abort(reason));
  // The worker's pipe is ours alone: a hook that calls Holdfast starts a command of its own.
  delete process.env.HOLDFAST_SUPERVISED;
  delete process.env.HOLDFAST_RUN;
  const reloads = new Set<() => void>();
  // Taken even where nobody listens: other programs that use the repository format probe the owner of a lock with it, and a backup should
  // survive the terminal it was started from.
  process.on('SIGHUP', () => {
    for (const hear of reloads) hear();
  });
  const terminal = terminalOf(process.stdin, process.stderr);
  const status = await runCommandLine(
    {
      argv: process.argv.slice(2),
      env: process.env,
      cwd: workingDirectory(),
      clock: systemClock,
      signal: stop.signal,
      stdout: process.stdout,
      stderr: process.stderr,
      build: buildInfo(),
      ...given('supervision', supervisor),
      ...given('terminal', terminal),
      onReload: (hear) => void reloads.add(hear),
    },
    registrations,
  );
  process.exit(status);
}

/**
 * The first SIGINT or SIGTERM asks for a clean stop, the second ends at once.
 */
function interruptSignal(): AbortController {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    if (process.stderr.isTTY) process.stderr.write('\nStopping cleanly; once more ends at once.\n');
    controller.abort(new DOMException('Stopped as asked.', 'AbortError'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller;
}

function endClearlyOnMistakes(registrations: readonly Registration[] = registry): void {
  const end = (error: unknown) => {
    const failure = asFailure(error);
    const verbose = process.argv.includes('-v') || process.argv.includes('--verbose');
    const status = failureStatusOf(process.argv, registrations) ?? failure.exitCode;
    const text = failureText(failure, { json: process.argv.includes('--json'), verbose, status });
    process.stderr.write(text, () => process.exit(status));
    // Nobody may read standard error, and a program that waits for the answer must get this one.
    process.exitCode = status;
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

/** The name that the directory had, where it was removed meanwhile: only what is named relative to it cannot be found. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return resolve('/', process.env.PWD ?? '');
  }
}

function buildInfo(): BuildInfo {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
  return { program, version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}
