/** What the commands of the runbook share: its target, the run, the words at the end. */
import { resolve } from 'node:path';
import { formatDuration } from '../base/durations.ts';
import { EXIT, Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { AppSettings } from '../config/settings.ts';
import { thisProcess } from '../operations/holder.ts';
import { describeReport, followRunbook, newestState, type RunbookReport } from '../operations/runbook.ts';
import type { ExitStatus } from './command.ts';
import type { Context } from './context.ts';
import { openSession } from './open-session.ts';
import { personAt } from './person.ts';

/** For the help. */
export const NEWEST_STATE =
  'Without POINT and --at it is the newest state there is: where the WAL of the database is archived the newest archived commit ' +
  '("--at latest"), else the newest point ("latest").';

export interface RunbookChoices {
  readonly point: string | undefined;
  readonly at: string | undefined;
}

/** Words of the commands that restore: `latest`, a point, `--at T`. */
function targetWords(app: AppSettings, { point, at }: RunbookChoices): readonly string[] {
  if (at === undefined) return point === undefined ? newestState(app) : [point];
  if (point === undefined) return ['--at', at];
  throw new Failure('usage', 'A POINT and --at exclude each other.');
}

export async function follow(
  context: Context,
  mode: 'run' | 'drill',
  choices: RunbookChoices & { readonly to?: string | undefined; readonly from: number; readonly yes: boolean },
): Promise<ExitStatus> {
  const config = await context.config();
  const app = await config.app(config.appName(context.flags.app));
  const by = thisProcess();
  await using session = await openSession(context);
  const report = await followRunbook(session, {
    ...{ app, mode, by, target: targetWords(app, choices), from: choices.from, environment: context.env },
    ...given('to', choices.to === undefined ? undefined : resolve(context.cwd, choices.to)),
    person: personAt(context, by.username, choices.yes),
    program: [context.build.program, '--config', config.file, '--app', app.name],
  });
  if (context.flags.json) await context.output.summary({ ...report });
  else await print(context, report);
  return report.outcome === 'done' ? EXIT.done : EXIT.failed;
}

async function print({ output }: Context, report: RunbookReport): Promise<void> {
  const { style } = output;
  const paint = report.outcome === 'failed' ? style.red : report.within_objective ? style.green : style.yellow;
  const what = report.mode === 'drill' ? 'Drill' : 'Recovery';
  await output.line(`${paint(style.bold(`${what} ${describeReport(report)}.`))}`);
  await output.table(report.steps, [
    { title: 'STEP', value: ({ number }) => String(number), align: 'right' },
    { title: 'WHAT', value: ({ title }) => title, shrinks: true },
    { title: 'OUTCOME', value: ({ outcome, late }) => `${outcome}${late ? ', late' : ''}` },
    { title: 'TOOK', value: ({ duration_s: s }) => (s === null ? '–' : formatDuration(s * 1_000)), align: 'right' },
    { title: 'MAY TAKE', value: ({ budget_s }) => formatDuration(budget_s * 1_000), align: 'right' },
  ]);
  const failed = report.steps.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) {
    const again =
      report.mode === 'run' ? ` Mend it, then go on with "holdfast runbook run … --from ${failed.number}".` : '';
    await output.warn(failed.message ?? 'A step failed.', `The report is ${report.id}.${again}`);
  }
}
