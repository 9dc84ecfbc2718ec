/** `holdfast points`: the restore points, newest last. */
import { listPoints as pointsThere } from '../../api/points.ts';
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import { listPoints, type PointSummary } from '../../operations/list-points.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Newest last. "proof" says what was really shown about a point: stored, checked, read, restored or accepted.',
  options: {
    source: option.texts('S', 'only points that hold this source'),
    since: option.time('T', 'only points from this time on'),
  },
  examples: [
    ['holdfast points', 'all points of the app'],
    ['holdfast points --since "7d ago" --json', 'those of the last week, for a program'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { options: { source, since } }) {
    const { output, flags } = context;
    await tellSince(context, since);
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const { points, damaged } = await listPoints(session, {
      app,
      sources: source,
      ...(since === undefined ? {} : { since }),
    });
    for (const id of damaged)
      await output.warn(`The point object ${id.slice(0, 8)} cannot be read from any storage.`, 'Run "holdfast check".');
    return print(context, points, source.length > 0 || since !== undefined);
  },
  async remote(context, { options: { source, since } }) {
    const { client, app } = context.server;
    await tellSince(context, since);
    const query = {
      ...app,
      limit: 500,
      ...given('since', since === undefined ? undefined : new Date(since).toISOString()),
    };
    const points: PointSummary[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await client.call(pointsThere, { query: { ...query, ...given('cursor', cursor) } });
      points.push(...(page.items as unknown as PointSummary[]));
      cursor = page.next;
    }
    return print(
      context,
      points.reverse().filter(({ sources }) => source.every((each) => sources.includes(each))),
      source.length > 0 || since !== undefined,
    );
  },
});

/** A relative time, as it was understood. */
async function tellSince({ output }: Context, since: number | undefined): Promise<void> {
  if (since !== undefined) await output.note(`Points since ${formatUtcAndLocal(since)}:`);
}

async function print(
  { output, flags }: Context,
  points: readonly PointSummary[],
  filtered: boolean,
): Promise<ExitStatus> {
  if (flags.json) await output.document(points);
  else if (points.length === 0 && filtered) await output.line('No restore point fits. All of them: "holdfast points".');
  else if (points.length === 0) await output.line('No restore points yet. Make one with "holdfast backup".');
  else {
    await output.table(points, [
      { title: 'ID', value: (point) => point.short_id },
      { title: 'TIME', value: (point) => formatUtcAndLocal(Date.parse(point.time)) },
      { title: 'SIZE', value: (point) => formatBytes(point.bytes), align: 'right' },
      { title: 'PROOF', value: (point) => point.proof },
      { title: 'STORAGES', value: (point) => point.storages.join(' ') },
      { title: 'SOURCES', value: (point) => point.sources.join(' '), shrinks: true },
      { title: 'LABEL', value: (point) => `${point.pinned ? '(pinned) ' : ''}${point.label ?? ''}`, shrinks: true },
    ]);
  }
  return EXIT.done;
}
