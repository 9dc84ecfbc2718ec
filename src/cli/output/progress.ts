/**
 * Draws progress: a live line per step on a terminal, a plain line every 10 s elsewhere, JSON Lines with `--json`, only warnings
 * with `--quiet`. Drawing never holds the operation up; what could not be written is told by `close`.
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
  /** Stops drawing, removes live lines. Throws when something could not be written. */
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
  let ticking: Promise<void> | undefined;
  let trouble: unknown;

  const draw = (writing: Promise<void>) => {
    writing.catch((error: unknown) => {
      trouble ??= error;
    });
  };
  const tick = async () => {
    for (;;) {
      await clock.sleep(drawing.every, stop.signal).catch(() => {});
      if (stop.signal.aborted) return;
      await drawing.running(meter.running, clock.monotonic());
    }
  };
  const report = (event: ProgressEvent) => {
    const now = clock.monotonic();
    const state = meter.take(event, now);
    if (quiet && (event.type !== 'warning' || event.expected)) return;
    if (event.type === 'warning') return draw(drawing.warning(event));
    if (event.type === 'note') return draw(drawing.note(event.message));
    if (ticking === undefined) {
      ticking = tick();
      draw(ticking);
    }
    if (state === undefined) return;
    if (event.type === 'step') draw(drawing.begun(state));
    if (event.type === 'done') draw(drawing.ended(state, event, now));
  };
  const close = async () => {
    stop.abort();
    await ticking?.catch(() => {}); // kept in trouble
    await drawing.close();
    if (trouble !== undefined) throw trouble;
  };
  return { report, close };
}

function pickDrawing(output: Output, verbose: boolean): Drawing {
  if (output.json) return jsonDrawing(output);
  return output.isTerminal ? liveDrawing(output, verbose) : plainDrawing(output, verbose);
}
