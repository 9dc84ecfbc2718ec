/** `holdfast status`: are we safe. */
import { getStatus } from '../../api/system.ts';
import { formatDuration } from '../../base/durations.ts';
import { EXIT } from '../../base/failure.ts';
import { withLocal } from '../../base/relative-time.ts';
import { type StatusReport, status } from '../../operations/status.ts';
import { archivedSources } from '../../operations/wal-sources.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { pastGaps } from '../output/past-gaps.ts';

export default defineCommand({
  details:
    'What would be lost if the original were gone now, how long it would take to come back, how old the newest point and the last proof are, ' +
    'and what is wrong. An objective is broken when more would be lost than its RPO allows, when the last proof took longer than its RTO, ' +
    'or when fewer storages than copies.required hold the newest point.',
  options: { check: option.flag('end with 6 when an objective is broken: for monitoring') },
  examples: [
    ['holdfast status', 'a look in the morning'],
    ['holdfast status --check --quiet', 'for monitoring'],
  ],
  exits: [EXIT.objectiveBroken, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { options: { check } }) {
    const config = await context.config();
    const app = config.appName(context.flags.app);
    await using session = await openSession(context);
    const report = await status(session, {
      app: await config.app(app),
      sources: config.sourceTypes(app),
      archived: await archivedSources(config, app),
      requiredCopies: await config.requiredCopies(),
    });
    return show(context, report, check);
  },
  async remote(context, { options: { check } }) {
    const { document, app } = context.server;
    return show(context, await document<StatusReport>(getStatus, { query: app }), check);
  },
});

async function show(context: Context, report: StatusReport, check: boolean): Promise<ExitStatus> {
  if (context.flags.json) await context.output.document(report);
  else if (!context.flags.quiet || report.outcome !== 'safe') await print(context, report);
  return check && report.outcome === 'broken' ? EXIT.objectiveBroken : EXIT.done;
}

const WORDS = {
  safe: 'safe',
  attention: 'promises are kept; something needs attention',
  broken: 'an objective is broken',
} as const;

async function print({ output }: Context, report: StatusReport): Promise<void> {
  const { style } = output;
  const paint = { safe: style.green, attention: style.yellow, broken: style.red }[report.outcome];
  await output.line(`${style.bold(report.app)}: ${paint(WORDS[report.outcome])}`);
  for (const { objective, promised, actual, state, because } of report.objectives) {
    const mark = { kept: style.green('✓'), broken: style.red('✗'), unknown: style.yellow('?') }[state];
    const amount = (value: number) => (objective === 'copies' ? String(value) : formatDuration(value * 1000));
    const is = actual === null ? 'not known' : amount(actual);
    await output.line(`${mark} ${objective.toUpperCase().padEnd(6)} ${is} of ${amount(promised)}: ${because}`);
  }
  for (const line of facts(report)) await output.line(`  ${line}`);
  for (const { about, what, mend } of report.problems) {
    await output.line(`${style.yellow('!')} ${style.bold(about)}: ${what}`);
    if (mend !== '') await output.line(`    ${mend}`);
  }
}

function* facts({ exposure, newest, points, last_proof: proof, storages, wal }: StatusReport): Generator<string> {
  const held = storages.map(({ storage, state }) => (state === 'good' ? storage : `${storage} (${state})`)).join(', ');
  if (newest !== null) {
    yield `newest point  ${newest.short_id}, ${formatDuration(newest.age_s * 1000)} old, ${newest.proof}; ${points} in all`;
  }
  yield `storages      ${held}`;
  for (const { source, windows, archived, gaps } of wal) {
    const window = windows.at(-1);
    const span = window === undefined ? 'none' : `from ${withLocal(window.from)} to ${withLocal(window.to)}`;
    yield `window        ${source}: ${span}${archived === null ? '' : `, archived up to ${archived.lsn}`}`;
    for (const past of pastGaps(gaps)) yield `history       ${source}: ${past}`;
  }
  for (const { source, seconds, because } of exposure) {
    yield `at risk       ${source}: ${seconds === null ? 'everything' : formatDuration(seconds * 1000)} (${because})`;
  }
  if (proof === null) yield 'last proof    never';
  else {
    const rto = proof.rto_seconds === null ? '' : `, back in ${formatDuration(proof.rto_seconds * 1000)}`;
    yield `last proof    ${formatDuration(proof.age_s * 1000)} ago, ${proof.outcome}${rto}${proof.storage === null ? '' : `, from ${proof.storage}`}`;
  }
}
