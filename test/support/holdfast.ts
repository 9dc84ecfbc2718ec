/** Drives the real command line: `bin/holdfast` as a child process, with a configuration written for the test. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Finished, type RunOptions, run } from './run.ts';

export const HOLDFAST = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

/** A line of JSON that a command printed. `message_type` names its kind where the command prints JSON Lines. */
export type JsonLine = Readonly<Record<string, unknown>>;

export interface HoldfastResult extends Finished {
  /** Every line of stdout that is a JSON object, in order. */
  readonly lines: readonly JsonLine[];
  /** The line with `message_type: summary`, when there is one. */
  readonly summary: JsonLine | undefined;
  /** The `exit_error` line on stderr, when there is one. */
  readonly error: JsonLine | undefined;
  /** stdout as one JSON document (lists print one). Throws when it is none. */
  document<T = unknown>(): T;
}

/** Runs `holdfast args…` to its end. */
export async function holdfast(args: readonly string[], options: RunOptions = {}): Promise<HoldfastResult> {
  return resultOf(await run(HOLDFAST, args, { ...options, env: { NO_COLOR: '1', ...options.env } }));
}

/** What a command line that has ended came to. */
export function resultOf(done: Finished): HoldfastResult {
  const lines = jsonLines(done.stdout);
  return {
    ...done,
    lines,
    summary: lines.findLast((line) => line.message_type === 'summary'),
    error: jsonLines(done.stderr).findLast((line) => line.message_type === 'exit_error'),
    document: <T>() => JSON.parse(done.stdout) as T,
  };
}

/** Like `holdfast`, but throws with everything the command said unless it exits with one of `codes` (default: 0). */
export async function holdfastOk(
  args: readonly string[],
  options: RunOptions & { readonly codes?: readonly number[] } = {},
): Promise<HoldfastResult> {
  const done = await holdfast(args, options);
  if (done.code === null || !(options.codes ?? [0]).includes(done.code)) {
    throw new Error(`holdfast ${args.join(' ')} ended with ${done.code ?? done.signal}\n${done.stdout}${done.stderr}`);
  }
  return done;
}

/** Writes `configuration` as `holdfast.yaml` into `directory`, readable by its owner only; returns its path. */
export async function writeConfig(directory: string, configuration: object): Promise<string> {
  const path = join(directory, 'holdfast.yaml');
  await writeFile(path, stringify({ version: 1, ...configuration }), { mode: 0o600 });
  return path;
}

/** The lines of `text` that are JSON objects. */
export function jsonLines(text: string): JsonLine[] {
  const found: JsonLine[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      found.push(JSON.parse(line) as JsonLine);
    } catch {
      // a line that only looks like JSON, or part of a document printed over several lines
    }
  }
  return found;
}
