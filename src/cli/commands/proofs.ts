/** `holdfast proofs`: the reports of earlier proofs. */
import { resolve } from 'node:path';
import { getProof, listProofs as proofsThere } from '../../api/proofs.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { formatUtcAndLocal, withLocal } from '../../base/relative-time.ts';
import { findProof, listProofs, proofPage, proofsOf } from '../../operations/proofs.ts';
import type { ProofReport } from '../../operations/prove.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { printProof } from '../output/proof-report.ts';
import { writeFileWhole } from '../output/write-file.ts';

export default defineCommand({
  details:
    'Oldest first; failed ones too. With a point, the reports of that point; with the first digits of a report, that one in full. The newest ' +
    'hundred of each app are kept in every storage, sealed, also when their point is gone.',
  arguments: { point: argument.optional('POINT', 'a point, a report (first digits of its id), or "latest"') },
  options: { html: option.text('FILE', 'write the newest of them as a page') },
  examples: [
    ['holdfast proofs', 'when was what proven, from which storage, how long did it take'],
    ['holdfast proofs latest --html proof.html', 'the newest report as a page for the file'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { point }, options: { html: file } }) {
    const { flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    if (file !== undefined) return writePage(context, await findProof(session, app, namedProof(point)), file);
    const reports = point === undefined ? await listProofs(session, app) : await proofsOf(session, app, point);
    return list(context, reports, point);
  },
  async remote(context, { arguments: { point }, options: { html: file } }) {
    const { document, app } = context.server;
    if (file !== undefined) {
      const found = await document<ProofReport>(getProof, { params: { proof: namedProof(point) }, query: app });
      return writePage(context, found, file);
    }
    const reports = await document<ProofReport[]>(proofsThere, { query: { ...app, ...given('of', point) } });
    return list(context, reports, point);
  },
});

function namedProof(point: string | undefined): string {
  if (point !== undefined) return point;
  throw new Failure('usage', '--html needs to know which: a point, a report, or "latest".');
}

async function writePage({ output, flags, cwd }: Context, report: ProofReport, file: string): Promise<ExitStatus> {
  await writeFileWhole(resolve(cwd, file), proofPage(report));
  if (flags.json) await output.document(report);
  else await output.line(`The report ${report.id} is in ${resolve(cwd, file)}.`);
  return EXIT.done;
}

async function list(
  { output, flags }: Context,
  reports: readonly ProofReport[],
  point: string | undefined,
): Promise<ExitStatus> {
  if (flags.json) await output.document(reports);
  else if (reports.length === 0)
    await output.line(`No proof${point === undefined ? ' yet' : ` of "${point}"`}. Make one with "holdfast prove".`);
  else if (point !== undefined && reports.length === 1) await printProof(output, reports[0]!);
  else {
    await output.table(reports, [
      { title: 'REPORT', value: ({ id }) => id.slice(0, 8) },
      { title: 'TIME', value: ({ time }) => formatUtcAndLocal(Date.parse(time)) },
      { title: 'POINT', value: ({ short_id: short }) => short ?? '–' },
      { title: 'OUTCOME', value: ({ outcome, level }) => level ?? outcome },
      { title: 'STORAGE', value: ({ storage }) => storage ?? '–' },
      {
        title: 'RESTORED IN',
        value: ({ rto_seconds: rto }) => (rto === null ? '–' : `${rto.toFixed(1)} s`),
        align: 'right',
      },
      { title: 'MOMENT', value: ({ moment }) => withLocal(moment?.asked ?? ''), shrinks: true },
    ]);
  }
  return EXIT.done;
}
