/** `holdfast diff POINT POINT`: what changed between two points. */
import { diffPoints } from '../../api/points.ts';
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
    const { flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const list = new Listing(context);
    await list.end(await diff(session, { app, from, to }, (changes) => list.add(changes)));
    return EXIT.done;
  },
  async remote(context, { arguments: { from, to } }) {
    const { document, app } = context.server;
    const list = new Listing(context);
    const query = { ...app, from, to };
    const found = await document<{ changes: Change[]; summary: DiffOutcome }>(diffPoints, { query });
    await list.add(found.changes);
    await list.end(found.summary);
    return EXIT.done;
  },
});

/** Printed as it comes. */
class Listing {
  readonly #context: Context;
  readonly #json: JsonArray | undefined;
  #begun = false;

  constructor(context: Context) {
    this.#context = context;
    this.#json = context.flags.json ? new JsonArray(context.output) : undefined;
  }

  /** False when nobody reads on. */
  async add(changes: readonly Change[]): Promise<boolean> {
    const { output } = this.#context;
    await this.#begin();
    if (this.#json !== undefined) await this.#json.add(changes);
    else await output.raw(changes.map((change) => `${changeLine(change)}\n`).join(''));
    return !output.readerGone;
  }

  async end(summary: DiffOutcome): Promise<void> {
    await this.#begin();
    if (this.#json === undefined) return printSummary(this.#context, summary);
    await this.#json.end();
    await this.#context.output.raw(`, "summary": ${JSON.stringify(summary)}}\n`);
  }

  async #begin(): Promise<void> {
    if (!this.#begun && this.#json !== undefined) await this.#context.output.raw('{"changes": ');
    this.#begun = true;
  }
}

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
