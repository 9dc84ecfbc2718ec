/** `holdfast import FILE`: an export package back into a directory. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, Failure } from '../../base/failure.ts';
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
    target: option.text('DIR', 'a new or empty directory'),
    owner: option.text('USER[:GROUP]', 'everything belongs to this account'),
    noOwner: option.flag('everything belongs to whoever imports'),
  },
  examples: [
    ['holdfast import /mnt/usb/clinic.tar --target /srv/restored', 'as root: owners as they were'],
    ['holdfast import clinic.tar --target ./look --no-owner', 'to look inside'],
  ],
  exits: [EXIT.damaged],
  async run(context, { arguments: { file }, options: { target, owner, noOwner } }) {
    const { clock, signal, progress, cwd } = context;
    if (target === undefined) throw new Failure('usage', 'Where to? Name a new directory with --target DIR.');
    const from = file === '-' ? createReadStream('', { fd: STANDARD_INPUT, signal }) : resolve(cwd, file);
    const ownership = await chooseOwnership(owner, noOwner);
    const outcome = await importPackage({ clock, signal, progress }, { from, target: resolve(cwd, target), ownership });
    await report(context, outcome);
    return EXIT.done;
  },
});

const STANDARD_INPUT = 0;

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
