/** `holdfast find PATTERN`: every version of a file across points. */
import { findFiles } from '../../api/points.ts';
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type FoundPath, find } from '../../operations/find.ts';
import { argument, defineCommand, type ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Looks in every point of the app. VERSION numbers the distinct contents of a path, 1 being the oldest: points with the same number hold ' +
    'the same bytes. Get one back with "holdfast cat POINT PATH" or "holdfast restore POINT --path PATH --to DIR".',
  arguments: {
    pattern: argument.required('PATTERN', 'a name such as "*.pdf", or a path such as "media/2026/**/scan.png"'),
  },
  examples: [['holdfast find report.pdf', 'when it was there, and when it changed']],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { pattern } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const found = await find({ ...session, ...(flags.json ? { progress: () => {} } : {}) }, { app, pattern });
    return print({ output, flags }, found);
  },
  async remote(context, { arguments: { pattern } }) {
    const { document, app } = context.server;
    return print(context, await document<FoundPath[]>(findFiles, { query: { ...app, pattern } }));
  },
});

async function print(
  { output, flags }: Pick<Context, 'output' | 'flags'>,
  found: readonly FoundPath[],
): Promise<ExitStatus> {
  if (flags.json) {
    await output.document(found);
    return EXIT.done;
  }
  if (found.length === 0)
    await output.line('No point holds anything that matches. Patterns take * within a name and ** across directories.');
  for (const { path, versions } of found) {
    await output.line(output.style.bold(printable(path)));
    await output.table(versions, [
      { title: '  POINT', value: ({ short_id }) => `  ${short_id}` },
      { title: 'TIME', value: ({ time }) => formatUtcAndLocal(Date.parse(time)) },
      { title: 'SIZE', value: ({ type, size }) => (type === 'file' ? formatBytes(size) : type), align: 'right' },
      { title: 'CHANGED', value: ({ mtime }) => `${mtime.slice(0, 19)}Z` },
      { title: 'VERSION', value: ({ content }) => String(content), align: 'right' },
    ]);
  }
  return EXIT.done;
}
