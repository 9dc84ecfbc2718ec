/** `holdfast catalog import`: a copy of the catalog into the one that is configured. */
import { resolve } from 'node:path';
import { EXIT, Failure } from '../../base/failure.ts';
import { type CopyReport, importCatalog, importSavedCatalog } from '../../service/catalog-copies.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'All of the copy or nothing of it; its checksum is verified first to last. A copy of an earlier version is brought up to date, one of a ' +
    'newer version refused. The catalog must be empty, or --replace be given; no service may be running on it. Runs that were not over when the copy was made come back as cancelled: what they were asked for is long ago. ' +
    'The copies in the repository hold schedules, accounts, audit log, alerts and the newest runs, without logs; the points come back ' +
    'with "catalog rebuild". Authenticators need the key that their secrets were sealed with ("server.key", or the file beside the old catalog ' +
    'of SQLite, put beside the new one); without it people log in with recovery codes.',
  arguments: { file: argument.optional('FILE', 'what "catalog export" wrote') },
  options: {
    fromRepository: option.flag('the newest copy that the service kept in the storages'),
    replace: option.flag('in the place of everything that is in the catalog now'),
  },
  examples: [
    ['holdfast catalog import catalog.gz', 'into the new PostgreSQL that "catalog.url" names'],
    ['holdfast catalog import --from-repository', 'the machine of the service is gone'],
  ],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  async run(context, { arguments: { file }, options: { fromRepository, replace } }) {
    const { output, flags } = context;
    if ((file === undefined) === !fromRepository)
      throw new Failure('usage', 'Give either a file or --from-repository.');
    const { rows, at, part } = await bringBack(context, file, replace);
    if (flags.json) await output.document({ rows, time: new Date(at).toISOString(), part });
    else await output.line(`The catalog of ${new Date(at).toISOString()}, ${rows} rows, is back.`);
    return EXIT.done;
  },
});

async function bringBack(context: Context, file: string | undefined, replace: boolean): Promise<CopyReport> {
  const place = await (await context.config()).catalog();
  if (file !== undefined)
    return await importCatalog(place, resolve(context.cwd, file), { now: context.clock.now(), replace });
  await using session = await openSession(context);
  return await importSavedCatalog(place, session, replace);
}
