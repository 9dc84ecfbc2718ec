/** Which test files there are, and running them, a few at a time. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atOnce } from '../../src/base/at-once.ts';
import { type FileResult, runFile } from './run-file.ts';

/**
 * Every `*.test.ts` of the project whose path contains one of `patterns` (all when none is given), relative to `root`. Those that
 * take longest come first, and the many short ones fill the gaps at the end.
 */
export function testFiles(root: string, patterns: readonly string[]): string[] {
  const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'], { cwd: root });
  const wanted = patterns.map((pattern) => pattern.replace(/^\.\//, ''));
  const chosen = all.filter((file) => wanted.length === 0 || wanted.some((pattern) => file.includes(pattern)));
  const source = (file: string) => readFileSync(join(root, file), 'utf8');
  const ranked = chosen.map((file) => ({ file, rank: rankOf(file, source) }));
  return ranked.sort((a, b) => b.rank - a.rank || (a.file < b.file ? -1 : 1)).map(({ file }) => file);
}

/** Roughly how long a file takes, beside others: one that starts database servers takes a minute, a unit test next to the code a second. */
function rankOf(file: string, source: (file: string) => string): number {
  if (!file.startsWith('test/')) return 0;
  if (file.startsWith('test/unit/')) return 1;
  return /postgres|wal-world|proof-clinic|moment-world|docs-world|demo/.test(source(file)) ? 3 : 2;
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
  await atOnce(options.concurrency, [...options.files.entries()], async ([index, file]) => {
    const started = performance.now();
    const result = await runFile({
      file: join(options.root, file),
      directory: join(options.directory, String(index)),
      env: options.env,
      timeoutMs: options.timeoutMs,
    });
    results.push(result);
    options.onResult({ ...result, file }, (performance.now() - started) / 1000);
  });
  return results;
}
