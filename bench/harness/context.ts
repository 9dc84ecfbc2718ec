/** What every benchmark is given, and what it gives back. */
import type { Figure, Row } from './results.ts';
import type { Workspace } from './workspace.ts';

export interface BenchContext {
  readonly workspace: Workspace;
  /** Small data and one run: to see that the benchmark works, not to conclude from. */
  readonly quick: boolean;
  /** Turns each contender takes. */
  readonly runs: number;
  /** Directory for processor profiles of Holdfast, when asked for. */
  readonly profiles: string | undefined;
  /** The directory that several benchmarks back up; made once a run. Nobody changes it: who must, copies it. */
  readonly directory: () => Promise<string>;
  /** Tells the person who waits. */
  readonly say: (line: string) => void;
}

export interface Outcome {
  readonly about: string;
  readonly rows: readonly Row[];
  readonly figures?: readonly Figure[];
  readonly missing?: readonly string[];
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<Outcome>;
}
