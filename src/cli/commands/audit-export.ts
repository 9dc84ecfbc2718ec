/** `holdfast audit export`: the audit log as text, for another place. */
import { exportAudit } from '../../api/administration.ts';
import { EXIT } from '../../base/failure.ts';
import { openAuditLog } from '../../service/audit.ts';
import { auditOptions } from '../audit-options.ts';
import { defineCommand, option } from '../command.ts';
import { askedOf } from '../listing.ts';

export default defineCommand({
  details:
    'Prints every entry, oldest first. A line of jsonl without its "hash" is what the SHA-256 in "hash" was made of, so that the chain can be ' +
    'verified without Holdfast. The limits of "audit list" do not hold; its filters do.',
  options: {
    format: option.choice('FORMAT', ['jsonl', 'csv'] as const, 'jsonl (the default) or csv'),
    ...auditOptions,
  },
  examples: [['holdfast audit export > audit.jsonl', 'all of it']],
  lists: true,
  async run({ output, flags, config, signal }, { options: { format = 'jsonl', ...filter } }) {
    await using log = await openAuditLog(await config());
    for await (const piece of log.text(format, { ...filter, app: flags.app })) {
      signal.throwIfAborted();
      if (output.readerGone) break;
      await output.raw(piece);
    }
    return EXIT.done;
  },
  async remote({ output, server }, { options: { format = 'jsonl', ...filter } }) {
    for await (const piece of server.client.bytes(exportAudit, {
      query: { ...askedOf(filter), ...server.app, format },
    })) {
      if (output.readerGone) break;
      await output.raw(piece);
    }
    return EXIT.done;
  },
});
