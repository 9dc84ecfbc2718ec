/** `holdfast wal push`: for PostgreSQL's archive_command. */
import { resolve } from 'node:path';
import { EXIT } from '../../base/failure.ts';
import { pushWal } from '../../operations/wal-push.ts';
import { archivedSource } from '../../operations/wal-sources.ts';
import { argument, defineCommand, option } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'For archive_command: "holdfast wal push %p". Ends with 0 only when as many storages as copies.required asks for hold the file ' +
    'durably; PostgreSQL then removes its own. The same file again is no error. Another content under a name that is taken, the file of ' +
    'another cluster, or of a copy of the configured server is refused: a restored copy must not write into the archive of its original. ' +
    'Histories and partial segments are archived, labels of backups are not needed.',
  arguments: { path: argument.required('PATH', 'the file, in pg_wal of its data directory: %p') },
  options: { source: option.text('S', 'the database (not needed when there is only one)') },
  examples: [["archive_command = 'holdfast --config /etc/holdfast/holdfast.yaml wal push %p'", 'in postgresql.conf']],
  exits: [EXIT.partial, EXIT.noRepository, EXIT.wrongPassword],
  left: 'PostgreSQL keeps the file until it is stored, and hands it over again.',
  async run(context, { arguments: { path }, options: { source } }) {
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const archived = await archivedSource(config, app, source);
    await using session = await openSession(context);
    const { name, ignored, stored, failures, bytes } = await pushWal(session, {
      ...{ app, source: archived, path: resolve(context.cwd, path) },
      requiredCopies: await config.requiredCopies(),
    });
    for (const { message, hint } of failures.values()) await context.output.warn(message, hint);
    if (context.flags.json) await context.output.summary({ name, ignored, storages: stored, bytes });
    return EXIT.done;
  },
});
