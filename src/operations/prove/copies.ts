/** The first half of a proof: the databases of a point, or as they were at a moment, restored and started. */
import type { ProgramSearch } from '../../postgres/programs.ts';
import type { MomentTarget } from '../../recovery/moment.ts';
import { openSandbox, type Sandbox } from '../../recovery/sandbox.ts';
import type { RecoveryWorld } from '../../recovery/world.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface CopiesRequest {
  readonly app: string;
  readonly target: MomentTarget;
  /** Names of the postgres sources. */
  readonly sources: readonly string[];
  /** Where the private directories are made. */
  readonly directory: string | undefined;
  readonly programs: ProgramSearch;
  readonly account: string | undefined;
}

export interface DatabaseCopy {
  readonly source: string;
  readonly sandbox: Sandbox;
}

/** What the steps of a sandbox are called in a report. */
const STEPS: Readonly<Record<string, string>> = {
  find: 'find the point',
  plan: 'plan the recovery',
  restore: 'restore the database',
  start: 'start and recover',
  replay: 'replay the log',
};

/** One after the other; every copy goes onto `parts`. */
export async function openCopies(
  world: RecoveryWorld,
  { app, target, sources, directory, programs, account }: CopiesRequest,
  watch: Stopwatch,
  parts: AsyncDisposableStack,
): Promise<DatabaseCopy[]> {
  const copies: DatabaseCopy[] = [];
  for (const source of sources) {
    const sandbox = await openSandbox(world, {
      target,
      app,
      source,
      programs,
      ...(directory === undefined ? {} : { directory }),
      ...(account === undefined ? {} : { account }),
    });
    parts.use(sandbox);
    for (const { step, seconds } of sandbox.steps) {
      const name = STEPS[step] ?? step;
      watch.take(sources.length > 1 ? `${source}: ${name}` : name, seconds);
    }
    copies.push({ source, sandbox });
  }
  return copies;
}
