/** What every operation works with: the opened repository and the world around it. */
import type { Clock } from '../base/clock.ts';
import type { Progress } from '../base/progress.ts';
import type { Supervision } from '../base/supervision.ts';
import type { Repository } from '../repository/repository.ts';

export interface Session {
  readonly repository: Repository;
  readonly clock: Clock;
  /** Aborted when the operator interrupts. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** There when a worker of the service started this: asked before anything becomes final. */
  readonly supervision?: Supervision;
}
