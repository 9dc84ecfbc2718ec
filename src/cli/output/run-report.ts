/** Runs for people: in a table, and one in full. */
import type { Run, RunStep } from '../../api/runs.ts';
import { formatDuration } from '../../base/durations.ts';
import { formatCount } from '../../base/how-many.ts';
import { formatBytes } from '../../base/sizes.ts';
import { moment, momentIfAny, pairs, printFacts } from './facts.ts';
import type { Column, Output } from './output.ts';
import type { Style } from './style.ts';

export const runColumns = (style: Style): readonly Column<Run>[] => [
  { title: 'ID', value: ({ id }) => id },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'APP', value: ({ app }) => app },
  { title: 'STATE', value: ({ state }) => state, paint: (text, { state }) => paintState(style, state, text) },
  { title: 'CREATED', value: ({ created_at }) => moment(created_at) },
  { title: 'TOOK', value: (run) => took(run) ?? '–', align: 'right' },
  { title: 'ASKED BY', value: ({ requested_by, trigger }) => requested_by ?? trigger },
  { title: 'WHY', value: ({ reason, error }) => error?.message ?? reason ?? '', shrinks: true },
];

export const stepColumns: readonly Column<RunStep>[] = [
  { title: 'ATTEMPT', value: ({ attempt }) => String(attempt), align: 'right' },
  { title: 'STEP', value: ({ title }) => title, shrinks: true },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'BEGAN', value: ({ started_at }) => moment(started_at) },
  { title: 'TOOK', value: (step) => took(step) ?? '–', align: 'right' },
  { title: 'BYTES', value: ({ bytes }) => (bytes === null ? '–' : formatBytes(bytes)), align: 'right' },
  { title: 'ITEMS', value: ({ items }) => (items === null ? '–' : formatCount(items)), align: 'right' },
  { title: 'REMARK', value: ({ message }) => message ?? '', shrinks: true },
];

/** Everything about one. */
export async function printRun(output: Output, run: Run): Promise<void> {
  const { error, time_limit_s: limit } = run;
  await printFacts(output, `${run.kind} of ${run.app === '*' ? 'all apps' : run.app}, run ${run.id}`, [
    ['state', run.state, (text) => paintState(output.style, run.state, text)],
    ['asked to stop', run.cancel_requested && run.state !== 'cancelled' ? 'yes' : null],
    ['params', pairs(run.params)],
    ['asked by', `${run.requested_by ?? ''} (${run.trigger})`.trim()],
    ['reason', run.reason],
    ['schedule', run.schedule],
    ['after', run.after_run],
    ['created', moment(run.created_at)],
    ['not before', run.state === 'queued' && run.not_before > run.created_at ? moment(run.not_before) : null],
    ['began', momentIfAny(run.started_at)],
    ['ended', momentIfAny(run.finished_at)],
    ['took', took(run)],
    ['attempt', run.started_at === null ? null : `${run.attempt} of ${run.max_attempts}`],
    ['time limit', limit === null ? null : formatDuration(limit * 1000)],
    ['worker', run.worker],
    ['cancelled by', run.cancelled_by],
    ['error', error === null ? null : `${error.message} (${error.code})`],
    ['hint', error?.hint],
  ]);
}

function took({ started_at: from, finished_at: to }: Pick<Run, 'started_at' | 'finished_at'>): string | null {
  return from === null || to === null ? null : formatDuration(Date.parse(to) - Date.parse(from));
}

function paintState(style: Style, state: Run['state'], text: string): string {
  if (state === 'failed') return style.red(text);
  if (state === 'succeeded') return style.green(text);
  return state === 'partial' || state === 'skipped' || state === 'cancelled' ? style.yellow(text) : text;
}
