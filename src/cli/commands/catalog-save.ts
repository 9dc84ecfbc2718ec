/** `holdfast catalog save`: what the storages cannot tell, into the storages. */
import { EXIT } from '../../base/failure.ts';
import { saveCatalog } from '../../service/catalog-copies.ts';
import { defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Keeps a copy of schedules, accounts, audit log, alerts, figures and the newest runs in the repository, sealed like everything there; ' +
    'the newest three stay. The service does this by itself after runs.',
  examples: [['holdfast catalog save', 'now rather than after the next run']],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  async run(context) {
    const { output, flags } = context;
    await using session = await openSession(context);
    const { rows, at } = await saveCatalog(await (await context.config()).catalog(), session);
    if (flags.json) await output.document({ rows, time: new Date(at).toISOString() });
    else await output.line(`A copy of the catalog, ${rows} rows, is in the storages.`);
    return EXIT.done;
  },
});
