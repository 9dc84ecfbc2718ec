/**
 * Draws progress: a live line per step on a terminal, a plain line every 10 s elsewhere, JSON Lines with `--json`, only warnings
 * with `--quiet`. An operation's events arrive synchronously; drawing is queued so that it never holds the operation up.
 */
import type { Clock } from '../../base/clock.ts';
import type { Progress, ProgressEvent } from '../../base/progress.ts';
import { Meter } from './meter.ts';
import type { Output } from './output.ts';
import type { Drawing } from './progress-drawing.ts';
import { jsonDrawing } from './progress-json.ts';
import { liveDrawing, plainDrawing } from './progress-text.ts';

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

function pickDrawing(output: Output, verbose: boolean): Drawing {
  if (output.json) return jsonDrawing(output);
  return output.isTerminal ? liveDrawing(output, verbose) : plainDrawing(output, verbose);
}
