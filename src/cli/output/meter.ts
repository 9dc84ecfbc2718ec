/** Follows the steps of an operation: what is running, how far it is, how fast, how long still. Pure; drawing is elsewhere. */
import type { ProgressEvent } from '../../base/progress.ts';

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

export interface StepState {
  readonly step: string;
  readonly title: string;
  readonly startedAt: number;
  readonly isEndless: boolean;
  bytes: number;
  items: number;
  totalBytes: number | undefined;
  totalItems: number | undefined;
  current: string | undefined;
  samples: Sample[];
}

/** The rate is taken over this many samples, one a second at most. */
const SAMPLES = 15;
const SAMPLE_EVERY_MS = 1_000;

export class Meter {
  readonly #steps = new Map<string, StepState>();

  /** Steps that run now, in the order in which they began. */
  get running(): readonly StepState[] {
    return [...this.#steps.values()];
  }

  /** Takes an event in; returns the state of the step it is about (after a `done`, its last state). */
  take(event: ProgressEvent, now: number): StepState | undefined {
    if (event.type === 'step') return this.#begin(event, now);
    if (event.type === 'advance') return this.#advance(event, now);
    if (event.type !== 'done') return undefined;
    const ended = this.#steps.get(event.step);
    this.#steps.delete(event.step);
    return ended;
  }

  #begin(event: ProgressEvent & { type: 'step' }, now: number): StepState {
    const state: StepState = {
      step: event.step,
      title: event.title,
      startedAt: now,
      isEndless: event.endless === true,
      bytes: 0,
      items: 0,
      totalBytes: event.totalBytes,
      totalItems: event.totalItems,
      current: undefined,
      samples: [{ at: now, bytes: 0 }],
    };
    this.#steps.set(event.step, state);
    return state;
  }

  #advance(event: ProgressEvent & { type: 'advance' }, now: number): StepState | undefined {
    const state = this.#steps.get(event.step);
    if (state === undefined) return undefined;
    state.bytes = event.bytes ?? state.bytes;
    state.items = event.items ?? state.items;
    state.totalBytes = event.totalBytes ?? state.totalBytes;
    state.totalItems = event.totalItems ?? state.totalItems;
    // A total is an estimate where the source grows, or gives more than was announced: the log of a database.
    if (state.totalBytes !== undefined) state.totalBytes = Math.max(state.totalBytes, state.bytes);
    state.current = event.current ?? state.current;
    if (now - state.samples.at(-1)!.at >= SAMPLE_EVERY_MS) state.samples.push({ at: now, bytes: state.bytes });
    if (state.samples.length > SAMPLES) state.samples.shift();
    return state;
  }
}

/** Share done, 0 to 1; undefined while the total is unknown. Bytes count where they are known, items otherwise. */
export function fractionDone(state: StepState): number | undefined {
  if (state.totalBytes !== undefined && state.totalBytes > 0) return Math.min(1, state.bytes / state.totalBytes);
  if (state.totalItems !== undefined && state.totalItems > 0) return Math.min(1, state.items / state.totalItems);
  return undefined;
}

/** Bytes per second of late; undefined before there is anything to tell. */
export function rate(state: StepState, now: number): number | undefined {
  const first = state.samples[0]!;
  const elapsed = now - first.at;
  return elapsed < 500 || state.bytes === 0 ? undefined : ((state.bytes - first.bytes) / elapsed) * 1_000;
}

/** Milliseconds still to go at the present rate; undefined when that cannot be said. */
export function remaining(state: StepState, now: number): number | undefined {
  const perSecond = rate(state, now);
  if (perSecond === undefined || perSecond <= 0 || state.totalBytes === undefined || state.totalBytes <= state.bytes)
    return undefined;
  return ((state.totalBytes - state.bytes) / perSecond) * 1_000;
}
