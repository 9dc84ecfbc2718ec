/** `holdfast import FILE`: an export package back into a directory. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { restoreFromFile } from '../../api/exchange.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { printable } from '../../base/printable.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type ImportOutcome, importPackage } from '../../operations/import-package.ts';
import { chooseOwnership } from '../../operations/restore.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';

export default defineCommand({
  details:
    'Unpacks what "holdfast export" wrote into DIR/<source>/…, and checks all of it on the way against the SHA256SUMS in it. What is cut off, ' +
    'changed, or holds anything that no package of Holdfast holds is refused, and nothing of it is left. It needs no configuration, no ' +
    'storage and no password. A database is a data directory that "postgres -D DIR/<source>" of the same major version starts. As root, ' +
    'owners come back as they were; anybody else owns what they import. Programs that run as another account (setuid) lose that.',
  arguments: { file: argument.required('FILE', 'the package; "-" reads it from standard input') },
  options: {
    to: option.text('DIR', 'a new or empty directory'),
    target: option.text('DIR', 'the same as --to'),
    owner: option.text('USER[:GROUP]', 'everything belongs to this account'),
    noOwner: option.flag('everything belongs to whoever imports'),
  },
  examples: [
    ['holdfast import /mnt/usb/clinic.tar --to /srv/restored', 'as root: owners as they were'],
    ['holdfast import clinic.tar --to ./look --no-owner', 'to look inside'],
  ],
  exits: [EXIT.damaged],
  left: 'Nothing of it was left in DIR; import it again.',
  async run(context, { arguments: { file }, options: { to, target = to, owner, noOwner } }) {
    const { clock, signal, progress, cwd } = context;
    if (target === undefined) throw new Failure('usage', 'Where to? Name a new directory with --to DIR.');
    const from = file === '-' ? standardInput(signal) : resolve(cwd, file);
    const ownership = await chooseOwnership(owner, noOwner);
    const outcome = await importPackage({ clock, signal, progress }, { from, target: resolve(cwd, target), ownership });
    await report(context, outcome);
    return EXIT.done;
  },
  /** The file is sent; DIR is on the machine whose worker restores. */
  async remote(context, { arguments: { file }, options: { to, target = to, owner, noOwner } }) {
    const { server, signal, cwd } = context;
    if (target === undefined) throw new Failure('usage', 'Where to? Name a new directory of the server with --to DIR.');
    if (noOwner)
      throw new Failure('usage', '--no-owner does not work through a server: name the account with --owner.');
    const bytes = file === '-' ? standardInput(signal) : createReadStream(resolve(cwd, file), { signal });
    const query = { to: target, ...given('owner', owner) };
    const { outcome } = await server.follow(await server.client.upload(restoreFromFile, { query }, bytes));
    await report(context, outcome as unknown as ImportOutcome);
    return EXIT.done;
  },
});

function standardInput(signal: AbortSignal) {
  return createReadStream('', { fd: 0, signal });
}

async function report({ flags, output }: Context, outcome: ImportOutcome): Promise<void> {
  if (flags.json) return output.summary({ ...outcome });
  const { app, time, target, files, bytes, sources } = outcome;
  await output.line(
    `${printable(app)} as of ${printable(time)} in ${printable(target)}: ${files} files, ${formatBytes(bytes)}, checked`,
  );
  for (const { name, type, major } of sources) {
    const place = printable(`${target}/${name}`);
    const what = type === 'postgres' ? `a data directory of PostgreSQL ${major ?? '?'}: postgres -D ${place}` : place;
    await output.line(`  ${printable(name)} (${printable(type)}): ${what}`);
  }
}
