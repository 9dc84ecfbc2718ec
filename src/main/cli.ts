/**
 * The entry point of the command line: hands the process (environment, streams, signals, clock) to the shell and ends with its status.
 * Starts in two steps so that everything after the first is compiled from the cache.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { cacheDirectory } from '../base/cache-directory.ts';

// V8 lets a heap grow to four times what it holds before it collects; half as much again costs little time and saves a hundred MiB.
setFlagsFromString('--heap-growing-percent=50');
useCompileCache();
const { main } = await import('./process.ts').catch(cannotStart);
await main();

/** 127, as for a command that is not there: statuses below 126 are answers to some of our callers. */
function cannotStart(error: unknown): never {
  console.error(error);
  process.exit(127);
}

/**
 * The cache holds code that runs with the rights of whoever runs Holdfast, so it lives in a directory of that user, never in the shared
 * temporary directory.
 */
function useCompileCache(): void {
  const directory = cacheDirectory(process.env);
  if (directory !== undefined) enableCompileCache(join(directory, 'compiled'));
}
