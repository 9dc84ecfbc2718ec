/** `holdfast diff POINT POINT`: what changed between two points. */
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type Change, type ChangeKind, type DiffOutcome, diff } from '../../operations/diff.ts';
import { argument, defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { JsonArray } from '../output/json-array.ts';

const SIGNS: Readonly<Record<ChangeKind, string>> = {
  added: '+',
  removed: '-',
  content: 'M',
  metadata: 'U',
  type: 'T',
};

export default defineCommand({
  details:
    'One line per path: + added, - removed, M content changed, U only owner, mode, time or attributes changed, T another kind of thing. ' +
    'With --json one document: { changes, summary }.',
  arguments: {
    from: argument.required('POINT', 'the earlier one: id, its first digits, or "latest"'),
    to: argument.required('POINT', 'the later one'),
  },
  examples: [['holdfast diff 1f0c latest', 'what happened since']],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { arguments: { from, to } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const json = flags.json ? new JsonArray(output) : undefined;
    if (json) await output.raw('{"changes": ');
    const outcome = await diff(session, { app, from, to }, async (changes) => {
      if (json) await json.add(changes);
      else await output.raw(changes.map((change) => `${changeLine(change)}\n`).join(''));
      return !output.readerGone;
    });
    if (json) {
      await json.end();
      await output.raw(`, "summary": ${JSON.stringify(outcome)}}\n`);
    } else await printSummary(context, outcome);
    return EXIT.done;
  },
});

function changeLine({ kind, path, type, size_before, size_after }: Change): string {
  const sizes =
    kind === 'content' && type === 'file' ? ` (${formatBytes(size_before)} → ${formatBytes(size_after)})` : '';
  return `${SIGNS[kind]}  ${printable(path)}${type === 'dir' ? '/' : ''}${sizes}`;
}

async function printSummary({ output }: Context, { counts, bytes, from_short, to_short }: DiffOutcome): Promise<void> {
  const part = (kind: ChangeKind, word: string) => `${counts[kind]} ${word} (${formatBytes(bytes[kind])})`;
  const parts = [part('added', 'added'), part('removed', 'removed'), part('content', 'changed')];
  if (counts.type > 0) parts.push(`${counts.type} of another kind`);
  parts.push(`${counts.metadata} with other metadata only`);
  await output.line(`${output.style.bold(`${from_short} → ${to_short}`)}: ${parts.join(', ')}`);
}
