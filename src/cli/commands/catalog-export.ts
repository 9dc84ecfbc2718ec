/** `holdfast catalog export`: the whole catalog into a file. */
import { resolve } from 'node:path';
import { EXIT } from '../../base/failure.ts';
import { exportCatalog } from '../../service/catalog-copies.ts';
import { argument, defineCommand } from '../command.ts';

export default defineCommand({
  details:
    'One moment of the catalog, compressed, the same from SQLite and from PostgreSQL; the service may go on meanwhile. The file can be read ' +
    'by its owner only and wants to be kept like a password: it holds the hashes of passwords. The secrets of authenticators in it are ' +
    'sealed, and their key ("server.key", or the file beside a catalog of SQLite) is not in it: keep it by itself, where the copy goes it has to go, ' +
    'too. Who is logged in and which workers live is left out.',
  arguments: { file: argument.required('FILE', 'where to write it') },
  examples: [['holdfast catalog export catalog.gz', 'before a move from SQLite to PostgreSQL']],
  exits: [],
  async run(context, { arguments: { file } }) {
    const { output, flags, cwd, clock } = context;
    const path = resolve(cwd, file);
    const { rows, at } = await exportCatalog(await (await context.config()).catalog(), path, clock.now());
    if (flags.json) await output.document({ file: path, rows, time: new Date(at).toISOString() });
    else await output.line(`The catalog, ${rows} rows, is in ${path}.`);
    return EXIT.done;
  },
});
