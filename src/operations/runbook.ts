/** Disaster recovery by the book: the steps of an app shown, rehearsed or carried out, with the clock against what is promised. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../base/failure.ts';
import type { AppSettings } from '../config/settings.ts';
import { bestEffort } from './best-effort.ts';
import { perform } from './runbook/perform.ts';
import type { Person } from './runbook/person.ts';
import { keepReport, listRunbookReports, newReportId, type RunbookReport } from './runbook/report.ts';
import { objectiveOf, type PlannedStep, planSteps, type RunbookMode } from './runbook/steps.ts';
import type { Session } from './session.ts';

export { toHtml } from './kit/html.ts';
export { toText } from './kit/text.ts';
export { describeReport, reportDocument, runbookDocument } from './runbook/document.ts';
export { agreeing, type Person, throughService } from './runbook/person.ts';
export { listRunbookReports, type RunbookReport } from './runbook/report.ts';
export { newestState, objectiveOf, planSteps } from './runbook/steps.ts';
export { appsStored, readStoredRunbook } from './runbook/stored.ts';

export interface RunbookInput {
  readonly app: AppSettings;
  readonly mode: RunbookMode;
  /** `latest`, a point, or `--at T`. */
  readonly target: readonly string[];
  /** A new directory, absolute; absent: in place. */
  readonly to?: string;
  /** The number of the first step; those before were done in an earlier try. */
  readonly from: number;
  readonly person: Person;
  /** The program's file, then `--config F --app A`. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly by: { readonly hostname: string; readonly username: string };
}

/** The report is kept in the repository, whatever came of it; that it failed is in it. Throws only when there is nothing to report. */
export async function followRunbook(session: Session, input: RunbookInput): Promise<RunbookReport> {
  const { app, mode, from } = input;
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-drill-'));
  try {
    const steps = planSteps({ app, mode, target: input.target, directory, ...(input.to && { to: input.to }) });
    refuseMissingStep(steps, from);
    let earlier: readonly RunbookReport[] = [];
    await bestEffort(session, 'Earlier reports cannot be read', async () => {
      earlier = await listRunbookReports(session, app.name);
    });
    const started = session.clock.now();
    const performed = await perform(session, {
      ...{ steps, from, person: input.person, objectiveMs: objectiveOf(app), directory: app.directory },
      ...{ program: input.program, environment: input.environment },
      earlier,
      ...(app.runbook?.escalate && { escalate: app.runbook.escalate }),
    });
    const report = compose(session, input, started, performed);
    await bestEffort(session, 'The report was not kept', () => keepReport(session, report));
    return report;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function compose(
  { clock }: Session,
  { app, mode, target, by }: RunbookInput,
  started: number,
  { steps, notes, failure, durationMs }: Awaited<ReturnType<typeof perform>>,
): RunbookReport {
  const objective = objectiveOf(app);
  return {
    ...{ id: newReportId(), app: app.name, mode, target: target.join(' ') },
    outcome: failure === undefined ? 'done' : 'failed',
    started: new Date(started).toISOString(),
    ended: new Date(clock.now()).toISOString(),
    duration_s: Math.round(durationMs) / 1000,
    rto_objective_s: objective / 1000,
    within_objective: failure === undefined && durationMs <= objective,
    by: `${by.username}@${by.hostname}`,
    ...{ steps, notes },
  };
}

function refuseMissingStep(steps: readonly PlannedStep[], from: number): void {
  if (from >= 1 && from <= steps.length) return;
  throw new Failure('usage', `There is no step ${from}: the runbook has ${steps.length}.`, {
    hint: 'See them with "holdfast runbook show".',
  });
}
