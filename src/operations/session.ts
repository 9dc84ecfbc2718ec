/** What every operation works with: the opened repository and the world around it. */
import type { Clock } from '../base/clock.ts';
import type { Progress } from '../base/progress.ts';
import type { Repository } from '../repository/repository.ts';

export interface Session {
  readonly repository: Repository;
  readonly clock: Clock;
  /** Aborted when the operator interrupts. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}
