/**
 * Draws progress: a live line per step on a terminal, a plain line every 10 s elsewhere, JSON Lines with `--json`, only warnings
 * with `--quiet`. An operation's events arrive synchronously; drawing is queued so that it never holds the operation up.
 */
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/durations.ts';
import { printable } from '../../base/printable.ts';
import type { Progress, ProgressEvent } from '../../base/progress.ts';
import { formatBytes } from '../../base/sizes.ts';
import { fractionDone, Meter, rate, remaining, type StepState } from './meter.ts';
import type { Output } from './output.ts';

export interface ProgressView {
  readonly report: Progress;
  /** Draws what is still due and stops the timer. */
  close(): Promise<void>;
}

export interface ProgressOptions {
  readonly output: Output;
  readonly clock: Clock;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** How often running steps are shown, in milliseconds. */
const LIVE_EVERY = 100;
const PLAIN_EVERY = 10_000;
const JSON_EVERY = 1_000;

export function createProgress({ output, clock, quiet, verbose }: ProgressOptions): ProgressView {
  const meter = new Meter();
  const drawing = pickDrawing(output, verbose);
  const stop = new AbortController();
  let queue: Promise<unknown> = Promise.resolve();
  let ticking: Promise<void> | undefined;

  const draw = (job: () => Promise<void>) => {
    queue = queue.then(job);
    queue.catch(() => {}); // reported by close()
  };
  const tick = async () => {
    for (;;) {
      await clock.sleep(drawing.every, stop.signal).catch(() => {});
      if (stop.signal.aborted) return;
      await queue;
      draw(() => drawing.running(meter.running, clock.monotonic()));
    }
  };
  const report = (event: ProgressEvent) => {
    const state = meter.take(event, clock.monotonic());
    if (event.type === 'warning') return draw(() => drawing.warning(event));
    if (quiet) return;
    if (event.type === 'note') return draw(() => drawing.note(event.message));
    ticking ??= tick();
    if (state === undefined) return;
    const now = clock.monotonic();
    if (event.type === 'step') draw(() => drawing.begun(state));
    if (event.type === 'done') draw(() => drawing.ended(state, event, now));
  };
  const close = async () => {
    stop.abort();
    await ticking?.catch(() => {});
    await queue;
    await drawing.close();
  };
  return { report, close };
}

/** One way of showing progress. */
export interface Drawing {
  readonly every: number;
  begun(state: StepState): Promise<void>;
  running(states: readonly StepState[], now: number): Promise<void>;
  ended(state: StepState, event: ProgressEvent & { type: 'done' }, now: number): Promise<void>;
  warning(event: ProgressEvent & { type: 'warning' }): Promise<void>;
  note(message: string): Promise<void>;
  close(): Promise<void>;
}

function pickDrawing(output: Output, verbose: boolean): Drawing {
  if (output.json) return jsonDrawing(output);
  return output.isTerminal ? liveDrawing(output, verbose) : plainDrawing(output, verbose);
}

function liveDrawing(output: Output, verbose: boolean): Drawing {
  return {
    ...plainDrawing(output, verbose),
    every: LIVE_EVERY,
    begun: async () => {},
    running: (states, now) => output.live(states.map((state) => runningLine(state, now, true))),
    close: () => output.live([]),
  };
}

function plainDrawing(output: Output, verbose: boolean): Drawing {
  return {
    every: PLAIN_EVERY,
    begun: async (state) => {
      if (verbose) await output.line(`${state.title} …`);
    },
    running: async (states, now) => {
      for (const state of states) await output.line(runningLine(state, now, verbose));
    },
    ended: (state, event, now) => output.line(endedLine(output, state, event, now)),
    warning: (event) => output.warn(warningText(event), event.hint),
    note: (message) => output.line(printable(message)),
    close: async () => {},
  };
}

function jsonDrawing(output: Output): Drawing {
  const status = (state: StepState, fields: Readonly<Record<string, unknown>>) =>
    output.jsonLine('status', { step: state.step, title: state.title, ...fields });
  return {
    every: JSON_EVERY,
    begun: (state) => status(state, { state: 'started', ...amounts(state) }),
    running: async (states, now) => {
      for (const state of states) await status(state, { state: 'running', ...amounts(state), ...pace(state, now) });
    },
    ended: (state, event, now) =>
      status(state, {
        state: event.outcome,
        ...amounts(state),
        duration_s: (now - state.startedAt) / 1_000,
        ...(event.message === undefined ? {} : { message: event.message }),
      }),
    warning: ({ type: _type, ...fields }) => output.jsonLine('error', { severity: 'warning', ...fields }),
    note: (message) => output.jsonLine('status', { state: 'note', message }),
    close: async () => {},
  };
}

function amounts(state: StepState): Record<string, unknown> {
  const fraction = fractionDone(state);
  return {
    ...(fraction === undefined ? {} : { percent_done: Math.round(fraction * 1_000) / 10 }),
    bytes_done: state.bytes,
    ...(state.totalBytes === undefined ? {} : { total_bytes: state.totalBytes }),
    items_done: state.items,
    ...(state.totalItems === undefined ? {} : { total_items: state.totalItems }),
    ...(state.current === undefined ? {} : { current: state.current }),
  };
}

function pace(state: StepState, now: number): Record<string, unknown> {
  const bytesPerSecond = rate(state, now);
  const etaMs = remaining(state, now);
  return {
    ...(bytesPerSecond === undefined ? {} : { bytes_per_second: Math.round(bytesPerSecond) }),
    ...(etaMs === undefined ? {} : { eta_s: Math.round(etaMs / 1_000) }),
  };
}

function runningLine(state: StepState, now: number, withCurrent: boolean): string {
  const fraction = fractionDone(state);
  const bytesPerSecond = rate(state, now);
  const etaMs = remaining(state, now);
  const parts = [
    fraction === undefined ? '' : `${Math.floor(fraction * 100)} %`,
    amountText(state),
    bytesPerSecond === undefined ? '' : `${formatBytes(bytesPerSecond)}/s`,
    etaMs === undefined ? '' : `${formatDuration(Math.max(1_000, Math.ceil(etaMs / 1_000) * 1_000))} left`,
    withCurrent && state.current !== undefined ? printable(state.current) : '',
  ];
  return `${state.title}: ${parts.filter((part) => part !== '').join(', ') || 'running'}`;
}

function endedLine(output: Output, state: StepState, event: ProgressEvent & { type: 'done' }, now: number): string {
  const { style } = output;
  const mark = { done: style.green('done'), failed: style.red('failed'), skipped: style.dim('skipped') }[event.outcome];
  const amount = amountText({ ...state, totalBytes: undefined, totalItems: undefined });
  const parts = [
    amount,
    event.outcome === 'skipped' ? '' : formatDuration(now - state.startedAt),
    printable(event.message ?? ''),
  ];
  return `${state.title}: ${[mark, ...parts.filter((part) => part !== '')].join(', ')}`;
}

function amountText(state: StepState): string {
  const of = (total: string | undefined) => (total === undefined ? '' : ` of ${total}`);
  const bytes =
    state.bytes === 0 && state.totalBytes === undefined
      ? ''
      : `${formatBytes(state.bytes)}${of(state.totalBytes === undefined ? undefined : formatBytes(state.totalBytes))}`;
  const items =
    state.items === 0 && state.totalItems === undefined
      ? ''
      : `${state.items}${of(state.totalItems?.toString())} items`;
  return [bytes, items].filter((part) => part !== '').join(', ');
}

function warningText(event: ProgressEvent & { type: 'warning' }): string {
  const about = [event.storage, event.source, event.item]
    .filter((part) => part !== undefined)
    .map((part) => printable(part));
  return about.length === 0 ? event.message : `${about.join(': ')}: ${event.message}`;
}
