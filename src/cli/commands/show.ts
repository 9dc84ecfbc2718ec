/** `holdfast show POINT`: one restore point with its manifest. */

import { getPoint } from '../../api/points.ts';
import { EXIT } from '../../base/failure.ts';
import { formatCount, howMany } from '../../base/how-many.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import type { ProofReport } from '../../operations/prove.ts';
import { type Manifest, type PointDetails, type SourceRecord, showPoint } from '../../operations/show-point.ts';
import { argument, defineCommand, type ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Sources, sizes, what the database was, rows per table, remarks, and the storages that hold the point. --json has the whole manifest.',
  arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
  examples: [['holdfast show latest', 'the newest point']],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { point } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const details = await showPoint(session, app, point);
    return print(
      { output, flags },
      { ...details.point, last_proof: details.lastProof ?? null, manifest: details.manifest },
    );
  },
  async remote(context, { arguments: { point } }) {
    const { document, app } = context.server;
    return print(context, await document<Shown>(getPoint, { params: { point }, query: app }));
  },
});

/** The document of `--json`. */
type Shown = PointDetails['point'] & { readonly last_proof: ProofReport | null; readonly manifest: Manifest };

async function print({ output, flags }: Pick<Context, 'output' | 'flags'>, shown: Shown): Promise<ExitStatus> {
  if (flags.json) await output.document(shown);
  else {
    const { last_proof: lastProof, manifest, ...point } = shown;
    for (const line of describe({ point, manifest, lastProof: lastProof ?? undefined })) await output.line(line);
  }
  return EXIT.done;
}

function* describe({ point, manifest, lastProof }: PointDetails): Generator<string> {
  yield `Restore point ${point.id}`;
  yield `  time      ${formatUtcAndLocal(Date.parse(point.time))}`;
  if (manifest.label !== undefined) yield `  label     ${manifest.label}`;
  if (manifest.reason !== undefined) yield `  reason    ${manifest.reason}`;
  yield `  proof     ${point.proof}${point.pinned ? ', pinned' : ''}`;
  if (lastProof !== undefined) yield `  proven    ${describeLastProof(lastProof)}`;
  yield `  storages  ${point.storages.join(', ')}`;
  yield `  machine   ${manifest.machine.hostname}`;
  for (const [name, record] of Object.entries(manifest.sources)) yield* describeSource(name, record);
  for (const { query, rows, missing } of manifest.references) {
    yield `  references: ${formatCount(missing)} of ${howMany(rows, 'rows')} name a file that is missing (${query})`;
  }
  yield* describeNotices(manifest);
}

function* describeSource(name: string, record: SourceRecord): Generator<string> {
  const { files, bytes } = record.totals;
  yield `  ${name} (${record.type}): ${howMany(files, 'files')}, ${formatBytes(bytes)}${'path' in record ? `, from ${record.path}` : ''}`;
  if (record.type !== 'postgres') return;
  const { version, database, systemIdentifier, backup, tables, migrations } = record.facts;
  yield `    PostgreSQL ${version}, database ${database.name}, system ${systemIdentifier}`;
  yield `    WAL from ${backup.startLsn} to ${backup.stopLsn} on timeline ${backup.timeline}`;
  if (migrations !== undefined && migrations.length > 0)
    yield `    last migration ${migrations.at(-1)} of ${migrations.length}`;
  const rows = tables.reduce((sum, table) => sum + Number(table.rows), 0);
  const estimated = tables.some(({ exact }) => !exact);
  yield `    ${howMany(tables.length, 'tables')}, ${estimated ? 'about ' : ''}${howMany(rows, 'rows')}`;
}

function describeLastProof({ id, time, outcome, level, storage, rto_seconds: rto }: ProofReport): string {
  const took = rto === null ? '' : `, restored in ${rto.toFixed(1)} s`;
  const when = formatUtcAndLocal(Date.parse(time));
  return `${level ?? outcome} on ${when} from ${storage}${took} (holdfast proofs ${id.slice(0, 8)})`;
}

const SHOWN_NOTICES = 20;

function* describeNotices({ notices }: Manifest): Generator<string> {
  for (const { source, item, reason } of notices.slice(0, SHOWN_NOTICES))
    yield `  remark: ${source}: ${item}: ${reason}`;
  if (notices.length > SHOWN_NOTICES) yield `  … and ${notices.length - SHOWN_NOTICES} more remarks (--json lists all)`;
}
