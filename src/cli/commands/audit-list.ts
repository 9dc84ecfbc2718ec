/** `holdfast audit list`: who did what. */
import { listAudit } from '../../api/administration.ts';
import type { AnswerOf } from '../../api/endpoint.ts';
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { openAuditLog } from '../../service/audit.ts';
import { auditOptions } from '../audit-options.ts';
import { defineCommand, option } from '../command.ts';
import { askedOf, collect } from '../listing.ts';
import type { Output } from '../output/output.ts';

const DEFAULT_LIMIT = 100;

export default defineCommand({
  details: 'The newest entries, oldest first. With --app only what was about that app.',
  options: { ...auditOptions, limit: option.integer('N', `at most so many (default: ${DEFAULT_LIMIT})`, 1) },
  examples: [['holdfast audit list --action login --since "7d ago"', 'who logged in, or tried to']],
  lists: true,
  async run({ output, flags, config }, { options: { limit = DEFAULT_LIMIT, ...filter } }) {
    await using log = await openAuditLog(await config());
    const entries = await log.newest({ ...filter, app: flags.app }, limit);
    const shown = entries.map((entry) => {
      return { ...entry, at: new Date(entry.at).toISOString(), details: JSON.parse(entry.details) as object };
    });
    await print(output, flags.json, shown);
    return EXIT.done;
  },
  async remote({ output, flags, server }, { options: { limit = DEFAULT_LIMIT, ...filter } }) {
    const page = await collect<Entry>({ limit }, (place) =>
      server.client.call(listAudit, { query: { ...askedOf(filter), ...server.app, ...place } }),
    );
    await print(output, flags.json, page.items.toReversed());
    return EXIT.done;
  },
});

type Entry = Omit<AnswerOf<typeof listAudit>['items'][number], 'details'> & { readonly details: object };

async function print(output: Output, json: boolean, entries: readonly Entry[]): Promise<void> {
  if (json) await output.document(entries);
  else if (entries.length === 0) await output.line('No entries.');
  else
    await output.table(entries, [
      { title: 'TIME', value: ({ at }) => formatUtcAndLocal(Date.parse(at)) },
      { title: 'WHO', value: ({ actor }) => printable(actor) },
      { title: 'FROM', value: ({ address }) => address ?? '-' },
      { title: 'WHAT', value: ({ action, outcome }) => (outcome === 'ok' ? action : `${action} (${outcome})`) },
      { title: 'ABOUT', value: ({ target, app }) => printable(target ?? app ?? ''), shrinks: true },
    ]);
}
