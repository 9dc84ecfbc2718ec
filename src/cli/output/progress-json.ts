/** Progress as JSON Lines on standard output: `status` for steps, `error` for warnings. */
import { fractionDone, rate, remaining, type StepState } from './meter.ts';
import type { Output } from './output.ts';
import type { Drawing } from './progress-drawing.ts';

const EVERY_MS = 1_000;

export function jsonDrawing(output: Output): Drawing {
  const status = (state: StepState, fields: Readonly<Record<string, unknown>>) =>
    output.jsonLine('status', { step: state.step, title: state.title, ...fields });
  return {
    every: EVERY_MS,
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
    warning: ({ type: _type, expected: _expected, ...fields }) =>
      output.jsonLine('error', { severity: 'warning', ...fields }),
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
