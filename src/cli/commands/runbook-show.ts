/** `holdfast runbook show`: the steps of a recovery, to be read and printed; the reports of those that were carried out. */
import { resolve } from 'node:path';
import { EXIT, Failure } from '../../base/failure.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import {
  appsStored,
  describeReport,
  listRunbookReports,
  newestState,
  objectiveOf,
  planSteps,
  type RunbookReport,
  readStoredRunbook,
  reportDocument,
  runbookDocument,
  toHtml,
  toText,
} from '../../operations/runbook.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { writeFileWhole } from '../output/write-file.ts';

export default defineCommand({
  details:
    'The steps as a person would carry them out, with the real commands and the time each may take. Print it and keep it with the recovery ' +
    'kit. With --reports, the recoveries and drills that were carried out; with the first digits of a report, that one. With --stored, the page ' +
    'that the newest point holds, whatever the configuration says now: a storage and the password are enough.',
  arguments: { report: argument.optional('REPORT', 'a report, or with --stored a point (first digits), or "latest"') },
  options: {
    reports: option.flag('list the reports'),
    drill: option.flag('the steps of a drill'),
    stored: option.flag('the page as the points hold it; without --app and with several apps: which there are'),
    html: option.text('FILE', 'write it as a page'),
  },
  examples: [
    ['holdfast runbook show --html runbook.html', 'a page to print'],
    ['holdfast runbook show --reports', 'the drills so far'],
    ['holdfast runbook show latest --html drill.html', 'the newest report as a page'],
    ['holdfast runbook show --stored --app clinic', 'on another machine, out of a storage'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { report: id }, options: { reports, drill, stored, html } }) {
    if (stored) return showStored(context, id, html);
    const config = await context.config();
    const app = await config.app(config.appName(context.flags.app));
    if (reports || id !== undefined) return showReports(context, app.name, id, html);
    const mode = drill ? 'drill' : 'run';
    const steps = planSteps({ app, mode, target: newestState(app), directory: '/tmp/holdfast-drill' });
    const facts = { app: app.name, objectiveMs: objectiveOf(app), directory: app.directory };
    await give(context, runbookDocument(steps, facts), { steps, rto_objective_s: facts.objectiveMs / 1000 }, html);
    return EXIT.done;
  },
});

async function showStored(context: Context, point: string | undefined, html: string | undefined): Promise<ExitStatus> {
  const { output, flags, cwd } = context;
  await using session = await openSession(context);
  const apps = flags.app === undefined ? await appsStored(session) : [flags.app];
  if (apps.length !== 1) {
    if (flags.json) await output.document(apps.map((app) => ({ app })));
    else if (apps.length === 0) await output.line('The repository holds no point, and so no runbook.');
    else await output.line(`There are runbooks of ${apps.join(', ')}. Say with --app which one.`);
    return EXIT.done;
  }
  const page = await readStoredRunbook(session, apps[0]!, point);
  if (html !== undefined) await writeFileWhole(resolve(cwd, html), page.html);
  if (flags.json) await output.document(page);
  else if (html === undefined) await output.line(page.text.trimEnd());
  else await output.line(`It is in ${resolve(cwd, html)}, as the point ${page.point.slice(0, 8)} holds it.`);
  return EXIT.done;
}

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
