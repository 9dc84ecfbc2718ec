/** `holdfast wal status`: which moments can be restored, what is missing, what would be lost. */
import { getWalStatus } from '../../api/wal.ts';
import { formatDuration } from '../../base/durations.ts';
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import { archivedSources } from '../../operations/wal-sources.ts';
import { type SourceWalStatus, type WalStatusReport, walStatus } from '../../operations/wal-status.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { lostMoments } from '../output/past-gaps.ts';

export default defineCommand({
  details:
    'For every database whose WAL is archived: the windows, any moment of which can be restored (from the end of a base backup to the latest ' +
    'archived commit, gaps left out), the gaps with their reasons (past ones, which a point follows, with the moments that are lost), how far the archive is behind the live server, what would be lost if the ' +
    'server died now, how far each storage is, and what the slot and the running stream say. The server is asked when it answers; without it the rest is told.',
  options: { source: option.text('S', 'only this database') },
  examples: [['holdfast wal status --json', 'one document, for programs']],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { options: { source } }) {
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const sources = await archivedSources(config, app, source);
    await using session = await openSession(context);
    const report = await walStatus(session, { app, sources });
    return show(context, report);
  },
  async remote(context, { options: { source } }) {
    const { document, app } = context.server;
    return show(
      context,
      await document<WalStatusReport>(getWalStatus, { query: { ...app, ...given('source', source) } }),
    );
  },
});

async function show(context: Context, report: WalStatusReport): Promise<ExitStatus> {
  if (context.flags.json) await context.output.document(report);
  else if (report.sources.length === 0)
    await context.output.line(`No WAL of ${report.app} is archived: no source has "wal: stream" or "wal: push".`);
  else for (const each of report.sources) await print(context, each);
  return EXIT.done;
}

async function print({ output }: Context, it: SourceWalStatus): Promise<void> {
  const { style } = output;
  await output.line(
    style.bold(`${it.source} (${it.mode}${it.system_identifier === null ? '' : `, cluster ${it.system_identifier}`})`),
  );
  const rows: [string, string][] = [
    ...it.windows.map((window): [string, string] => [
      'window',
      `${shown(window.from)} … ${shown(window.to)}, timeline ${window.timeline}`,
    ]),
    ...(it.windows.length === 0
      ? [['window', style.yellow('none: no archived log goes on from a base backup')] as [string, string]]
      : []),
    ...it.gaps.map((gap): [string, string] =>
      gap.next_point === null ? ['gap', style.red(gapText(gap))] : ['past gap', pastGapText(gap)],
    ),
    ...it.missing_histories.map((timeline): [string, string] => [
      'missing',
      style.red(`the history of timeline ${timeline}`),
    ]),
    ['archived', archivedText(it)],
    ['server', serverText(it)],
    ['if it died now', lossText(it)],
    ...Object.entries(it.storages).map(([name, storage]): [string, string] => [name, storageText(storage)]),
    ...(it.slot === null ? [] : [['slot', slotText(it.slot)] as [string, string]]),
    ...(it.mode === 'stream' ? [['stream', streamText(it)] as [string, string]] : []),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, text] of rows) await output.line(`  ${name.padEnd(width)}  ${text}`);
}

function shown(time: string): string {
  return formatUtcAndLocal(Date.parse(time));
}

type Gap = SourceWalStatus['gaps'][number];

function gapText({ timeline, from_lsn, to_lsn, reason, detail }: Gap): string {
  const why = detail ?? reason ?? 'nobody wrote down why';
  return `timeline ${timeline}, ${from_lsn} … ${to_lsn ?? 'open'}: ${why}`;
}

/** A point follows it. */
function pastGapText(gap: Gap): string {
  return `${lostMoments(gap)} (${gapText(gap)})`;
}

function archivedText({ archived }: SourceWalStatus): string {
  if (archived === null) return 'nothing';
  const commit = archived.last_commit === null ? 'without a commit' : `latest commit ${shown(archived.last_commit)}`;
  return `up to ${archived.lsn} on timeline ${archived.timeline}, ${commit}`;
}

function serverText({ server, server_error }: SourceWalStatus): string {
  if (server === null) return server_error ?? 'not asked';
  const lag = server.lag_bytes === null ? 'nothing of it is archived' : `${formatBytes(server.lag_bytes)} ahead`;
  const { failed, last_failed } = server.archive_command;
  const trouble =
    failed > 0 && last_failed !== null ? `; archive_command failed ${failed} times, last for ${last_failed}` : '';
  return `${server.lsn}, ${lag}${trouble}`;
}

function lossText({ loss: { seconds, because } }: SourceWalStatus): string {
  if (seconds === null) return `unknown: ${because}`;
  return seconds === 0
    ? `nothing would be lost: ${because}`
    : `at most ${formatDuration(seconds * 1000)} would be lost: ${because}`;
}

function storageText({ lsn, behind_bytes, error }: SourceWalStatus['storages'][string]): string {
  if (error !== null) return error;
  if (lsn === null) return 'holds none of it';
  return behind_bytes === 0
    ? `up to ${lsn}`
    : `up to ${lsn}, ${behind_bytes === null ? 'an older timeline' : `${formatBytes(behind_bytes)} behind`}`;
}

function slotText({ name, exists, active, wal_status, kept_bytes }: NonNullable<SourceWalStatus['slot']>): string {
  if (!exists) return `${name} is not there`;
  const kept = kept_bytes === null ? '' : `, the server keeps ${formatBytes(kept_bytes)}`;
  return `${name}, ${active ? 'in use' : 'not in use'}, ${wal_status ?? 'keeps nothing'}${kept}`;
}

function streamText({ stream }: SourceWalStatus): string {
  if (stream === null) return 'has not run here: "holdfast wal stream"';
  const state = stream.alive
    ? stream.status
    : `silent since ${stream.updated === null ? '–' : shown(stream.updated)} (${stream.status})`;
  return `${state}, ${formatBytes(stream.spool_bytes)} in the spool${stream.last_error === null ? '' : `; ${stream.last_error}`}`;
}
