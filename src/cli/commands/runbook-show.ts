/** `holdfast runbook show`: the steps of a recovery, to be read and printed; the reports of those that were carried out. */
import { resolve } from 'node:path';
import { EXIT, Failure } from '../../base/failure.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import {
  describeReport,
  listRunbookReports,
  objectiveOf,
  planSteps,
  type RunbookReport,
  reportDocument,
  runbookDocument,
  toHtml,
  toText,
} from '../../operations/runbook.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { writeFileWhole } from '../output/write-file.ts';

export default defineCommand({
  details:
    'The steps as a person would carry them out, with the real commands and the time each may take. Print it and keep it with the recovery ' +
    'kit. With --reports, the recoveries and drills that were carried out; with the first digits of a report, that one.',
  arguments: { report: argument.optional('REPORT', 'a report (first digits of its id), or "latest"') },
  options: {
    reports: option.flag('list the reports'),
    drill: option.flag('the steps of a drill'),
    html: option.text('FILE', 'write it as a page'),
  },
  examples: [
    ['holdfast runbook show --html runbook.html', 'a page to print'],
    ['holdfast runbook show --reports', 'the drills so far'],
    ['holdfast runbook show latest --html drill.html', 'the newest report as a page'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { report: id }, options: { reports, drill, html } }) {
    const config = await context.config();
    const app = await config.app(config.appName(context.flags.app));
    if (reports || id !== undefined) return showReports(context, app.name, id, html);
    const mode = drill ? 'drill' : 'run';
    const steps = planSteps({ app, mode, target: ['latest'], directory: '/tmp/holdfast-drill' });
    const facts = { app: app.name, objectiveMs: objectiveOf(app), configFile: config.file };
    await give(context, runbookDocument(steps, facts), { steps, rto_objective_s: facts.objectiveMs / 1000 }, html);
    return EXIT.done;
  },
});

async function showReports(context: Context, app: string, id: string | undefined, html: string | undefined) {
  await using session = await openSession(context);
  const reports = await listRunbookReports(session, app);
  if (id === undefined) {
    await list(context, reports);
    return EXIT.done;
  }
  const report = id === 'latest' ? reports.at(-1) : reports.findLast((each) => each.id.startsWith(id));
  if (report === undefined)
    throw new Failure('point_unknown', `There is no report "${id}".`, {
      hint: 'List them with "holdfast runbook show --reports".',
    });
  await give(context, reportDocument(report), report, html);
  return EXIT.done;
}

async function list({ output, flags }: Context, reports: readonly RunbookReport[]): Promise<void> {
  if (flags.json) return output.document(reports);
  if (reports.length === 0) return output.line('No drill yet. Rehearse with "holdfast runbook drill".');
  await output.table(reports, [
    { title: 'REPORT', value: ({ id }) => id.slice(0, 8) },
    { title: 'TIME', value: ({ started }) => formatUtcAndLocal(Date.parse(started)) },
    { title: 'KIND', value: ({ mode }) => (mode === 'drill' ? 'drill' : 'recovery') },
    { title: 'OUTCOME', value: describeReport, shrinks: true },
  ]);
}

type Document = ReturnType<typeof runbookDocument>;

async function give(
  { output, flags, cwd }: Context,
  page: Document,
  json: object,
  html: string | undefined,
): Promise<void> {
  if (html !== undefined) await writeFileWhole(resolve(cwd, html), toHtml(page));
  if (flags.json) return output.document(json);
  if (html === undefined) await output.line(toText(page).trimEnd());
  else await output.line(`It is in ${resolve(cwd, html)}.`);
}
