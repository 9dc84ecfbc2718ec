/** Runs `bench/load-index.ts` on a repository and measures it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../harness/context.ts';
import { measure, type Sample } from '../harness/measure.ts';
import type { IndexLoad } from '../load-index.ts';
import { PASSWORD, profiling } from './holdfast.ts';

const SCRIPT = fileURLToPath(new URL('../load-index.ts', import.meta.url));

export async function loadIndex(
  context: BenchContext,
  repository: string,
): Promise<{ readonly sample: Sample; readonly load: IndexLoad }> {
  const args = ['--disable-warning=ExperimentalWarning', SCRIPT, repository, PASSWORD];
  const command = { program: process.execPath, args, env: profiling(context) };
  const sample = await measure(command, context.workspace.path);
  return { sample, load: JSON.parse(sample.output) as IndexLoad };
}

/** The first local storage of a vault made by `holdfastTool`. */
export function firstStorage(directory: string): string {
  return join(directory, 'storages', 's1');
}
