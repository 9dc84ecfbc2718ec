/** `holdfast audit list`: who did what. */
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { openAuditLog } from '../../service/audit.ts';
import { auditOptions } from '../audit-options.ts';
import { defineCommand, option } from '../command.ts';

const DEFAULT_LIMIT = 100;

export default defineCommand({
  details: 'The newest entries, oldest first. With --app only what was about that app.',
  options: { ...auditOptions, limit: option.integer('N', `at most so many (default: ${DEFAULT_LIMIT})`, 1) },
  examples: [['holdfast audit list --action login --since "7d ago"', 'who logged in, or tried to']],
  lists: true,
  async run({ output, flags, config }, { options: { limit = DEFAULT_LIMIT, ...filter } }) {
    await using log = await openAuditLog(await config());
    const entries = await log.newest({ ...filter, app: flags.app }, limit);
    if (flags.json)
      await output.document(
        entries.map((entry) => ({
          ...entry,
          at: new Date(entry.at).toISOString(),
          details: JSON.parse(entry.details),
        })),
      );
    else if (entries.length === 0) await output.line('No entries.');
    else
      await output.table(entries, [
        { title: 'TIME', value: ({ at }) => formatUtcAndLocal(at) },
        { title: 'WHO', value: ({ actor }) => printable(actor) },
        { title: 'FROM', value: ({ address }) => address ?? '-' },
        { title: 'WHAT', value: ({ action, outcome }) => (outcome === 'ok' ? action : `${action} (${outcome})`) },
        { title: 'ABOUT', value: ({ target, app }) => printable(target ?? app ?? ''), shrinks: true },
      ]);
    return EXIT.done;
  },
});
