/** One way of showing progress: on a terminal, in a log, for a program. */
import type { ProgressEvent } from '../../base/progress.ts';
import type { StepState } from './meter.ts';

export interface Drawing {
  /** How often running steps are shown, in milliseconds. */
  readonly every: number;
  begun(state: StepState): Promise<void>;
  running(states: readonly StepState[], now: number): Promise<void>;
  ended(state: StepState, event: ProgressEvent & { type: 'done' }, now: number): Promise<void>;
  warning(event: ProgressEvent & { type: 'warning' }): Promise<void>;
  note(message: string): Promise<void>;
  close(): Promise<void>;
}
