/** A sandbox is a run that lives; this is how it is shown. */
import type { Sandbox } from '../../api/sandboxes.ts';
import type { Run } from '../../catalog/runs.ts';
import { showRun } from './run.ts';

/** What the command told once it was ready: while it lives its progress, afterwards its outcome. */
export function showSandbox(run: Run): Sandbox {
  const { id, app, params, worker, created_at, requested_by, error } = showRun(run);
  const { progress, outcome } = run;
  const ready = progress?.step === 'sandbox' && progress.state === 'ready';
  const told = outcome ?? (ready ? progress : {});
  const text = (name: string) => (typeof told[name] === 'string' ? told[name] : null);
  const lives = run.state === 'running' && ready;
  return {
    ...{ id, app, state: stateOf(run, ready), at: String(params.at) },
    ...{ url: lives ? text('url') : null, directory: lives ? text('directory') : null, worker },
    ...{ major: typeof told.major === 'number' ? told.major : null, point: text('point') },
    ...{ reached_lsn: text('reached_lsn'), reached_time: text('reached_time'), until: text('until') },
    ...{ created_at, requested_by, error },
  };
}

function stateOf({ state, cancelRequested }: Run, ready: boolean): Sandbox['state'] {
  if (state === 'waiting' || state === 'queued') return 'waiting';
  if (state === 'failed') return 'failed';
  if (state !== 'running') return 'ended';
  if (cancelRequested) return 'ending';
  return ready ? 'ready' : 'starting';
}
