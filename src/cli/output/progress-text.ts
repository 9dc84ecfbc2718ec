/** Progress for people: live lines on a terminal, plain lines elsewhere. */

import { formatDuration } from '../../base/durations.ts';
import { formatCount, howMany } from '../../base/how-many.ts';
import { printable } from '../../base/printable.ts';
import type { ProgressEvent } from '../../base/progress.ts';
import { formatBytes } from '../../base/sizes.ts';
import { fractionDone, rate, remaining, type StepState } from './meter.ts';
import type { Output } from './output.ts';
import type { Drawing } from './progress-drawing.ts';

const LIVE_EVERY_MS = 100;
const PLAIN_EVERY_MS = 10_000;
/** A step without an end to which nothing comes is told this often. */
const IDLE_EVERY_MS = 60 * 60_000;

/** One line per running step at the bottom of the terminal; what ends moves up and stays. */
export function liveDrawing(output: Output, verbose: boolean): Drawing {
  return {
    ...plainDrawing(output, verbose),
    every: LIVE_EVERY_MS,
    begun: async () => {},
    running: (states, now) => output.live(states.map((state) => runningLine(state, now, true))),
    close: () => output.live([]),
  };
}

/** A line when a step ends, and one for every running step every 10 s; of one without an end only when something came. */
export function plainDrawing(output: Output, verbose: boolean): Drawing {
  const isNews = newsOfEndless();
  return {
    every: PLAIN_EVERY_MS,
    begun: async (state) => {
      if (verbose) await output.line(`${state.title} …`);
    },
    running: async (states, now) => {
      for (const state of states.filter((each) => isNews(each, now))) {
        await output.line(runningLine(state, now, verbose));
      }
    },
    ended: (state, event, now) => output.line(endedLine(output, state, event, now)),
    warning: (event) => output.warn(warningText(event), event.hint),
    note: (message) => output.line(printable(message)),
    close: async () => {},
  };
}

function newsOfEndless(): (state: StepState, now: number) => boolean {
  const told = new Map<string, { readonly bytes: number; readonly at: number }>();
  return ({ step, bytes, isEndless }, now) => {
    if (!isEndless) return true;
    const last = told.get(step);
    if (last?.bytes === bytes && now - last.at < IDLE_EVERY_MS) return false;
    told.set(step, { bytes, at: now });
    return true;
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
    etaMs === undefined ? '' : `${formatRemaining(etaMs)} left`,
    withCurrent && state.current !== undefined ? printable(state.current) : '',
  ];
  return `${state.title}: ${parts.filter((part) => part !== '').join(', ') || 'running'}`;
}

/** Whole seconds: tenths of a guess mean nothing. */
function formatRemaining(ms: number): string {
  return ms < 60_000 ? `${Math.max(1, Math.ceil(ms / 1_000))} s` : formatDuration(ms);
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
  const items = state.items === 0 && state.totalItems === undefined ? '' : itemsText(state.items, state.totalItems);
  return [bytes, items].filter((part) => part !== '').join(', ');
}

/** `1 item`, `20,000 items`, `3 of 20,000 items`. */
function itemsText(items: number, total: number | undefined): string {
  if (total === undefined) return howMany(items, 'items');
  return `${formatCount(items)} of ${howMany(total, 'items')}`;
}

function warningText(event: ProgressEvent & { type: 'warning' }): string {
  const about = [event.storage, event.source, event.item]
    .filter((part) => part !== undefined)
    .map((part) => printable(part));
  const message = withoutName(withoutName(event.message, event.storage), event.item);
  return about.length === 0 ? message : `${about.join(': ')}: ${message}`;
}

/** The failures of a storage begin with its name, then that of the object; what is said about them begins with these already. */
function withoutName(message: string, name: string | undefined): string {
  if (name === undefined) return message;
  if (message.startsWith(`${name}: `)) return message.slice(name.length + 2);
  return message.startsWith(`${name} is `) ? message.slice(name.length + 1) : message;
}
