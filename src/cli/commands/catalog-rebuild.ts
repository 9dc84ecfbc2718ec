/** `holdfast catalog rebuild`: the list of points anew from the storages. */
import { EXIT } from '../../base/failure.ts';
import { withCatalog } from '../../service/catalog.ts';
import { rebuildPoints } from '../../service/catalog-rebuild.ts';
import { measureStorages } from '../../service/measure-storages.ts';
import { defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Reads from the storages which points there are, of every app, and makes the catalog say so. It needs only the storages and the key: an ' +
    'absent catalog is made. How full local storages are is noted, too. Schedules, accounts and history are not in the storages; "catalog import --from-repository" brings back the ' +
    'copy of them that the service keeps there.',
  examples: [['holdfast catalog rebuild', 'the catalog was lost, or does not say what "points" says']],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  async run(context) {
    const { output, flags } = context;
    await using session = await openSession(context);
    const config = await context.config();
    const report = await withCatalog(await config.catalog(), async (catalog) => {
      await measureStorages(catalog.db, config, context.clock.now());
      return rebuildPoints(catalog, session);
    });
    if (flags.json) await output.document(report);
    else {
      const { points, apps, added, changed, removed } = report;
      await output.line(
        `The catalog lists ${points} points of ${apps} apps: ${added} new, ${changed} changed, ${removed} gone.`,
      );
    }
    return EXIT.done;
  },
});
