/** What recovering works with: the opened repository and the world around it. A session of an operation is one. */
import type { Clock } from '../base/clock.ts';
import type { Progress } from '../base/progress.ts';
import type { Repository } from '../repository/repository.ts';

export interface RecoveryWorld {
  readonly repository: Repository;
  readonly clock: Clock;
  /** Aborted when the operator interrupts. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}
