/** Which test files there are, and running them, a few at a time. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { type FileResult, runFile } from './run-file.ts';

/**
 * Every `*.test.ts` of the project whose path contains one of `patterns` (all when none is given), relative to `root`. Those with
 * services come first: they take longest, and the many short ones fill the gaps at the end.
 */
export function testFiles(root: string, patterns: readonly string[]): string[] {
  const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'], { cwd: root });
  const wanted = patterns.map((pattern) => pattern.replace(/^\.\//, ''));
  const chosen = all.filter((file) => wanted.length === 0 || wanted.some((pattern) => file.includes(pattern)));
  return [...chosen.filter(usesServices).sort(), ...chosen.filter((file) => !usesServices(file)).sort()];
}

function usesServices(file: string): boolean {
  return /^test\/(faults|compat|integration)\//.test(file);
}

export interface FilesRun {
  readonly root: string;
  readonly files: readonly string[];
  /** Where each file gets a temporary directory of its own. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly concurrency: number;
  /** Milliseconds that one file may take. */
  readonly timeoutMs: number;
  readonly onResult: (result: FileResult, seconds: number) => void;
}

export async function runFiles(options: FilesRun): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const queue = [...options.files.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, file] = next;
      const started = performance.now();
      const directory = join(options.directory, String(index));
      const result = await runFile({
        file: join(options.root, file),
        directory,
        env: options.env,
        timeoutMs: options.timeoutMs,
      });
      results.push(result);
      options.onResult({ ...result, file }, (performance.now() - started) / 1000);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return results;
}
