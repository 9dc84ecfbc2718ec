/** `holdfast export FILE`: a point as one file that needs nothing else. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { readPackage } from '../../api/exchange.ts';
import { getPoint } from '../../api/points.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type ExportOutcome, exportPackage } from '../../operations/export-package.ts';
import { refuseExisting, writeNewFile } from '../../operations/new-file.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Writes one tar archive with everything that the point holds: databases as data directories with their log, files, configuration with its ' +
    'secrets masked, manifest.json, a README.txt with the steps to restore it by hand, and SHA256SUMS at its end. It is NOT ENCRYPTED: keep ' +
    'it like the database itself. Every part is verified while it is read. "holdfast import" brings it back, on a machine that needs no ' +
    'configuration and none of the storages; a database needs the same major version of PostgreSQL there.',
  arguments: { file: argument.required('FILE', 'a new file, readable by its owner only; "-" prints the archive') },
  options: { point: option.text('P', 'id of a point, its first digits, or "latest"; the newest when left out') },
  examples: [
    ['holdfast export /mnt/usb/clinic.tar', 'the newest point'],
    ['holdfast export - --point 1f0c | ssh new-server "holdfast import - --to /srv/restored"', 'onto another machine'],
  ],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'No file was left; export it again.',
  async run(context, { arguments: { file }, options: { point = 'latest' } }) {
    refuseMixing(context, file);
    const { output, build } = context;
    const app = (await context.config()).appName(context.flags.app);
    await using session = await openSession(context);
    const outcome = await exportPackage(session, {
      ...{ app, point, programVersion: build.version, onBytes: (bytes) => output.raw(bytes) },
      ...(file === '-' ? {} : { file: resolve(context.cwd, file) }),
    });
    await report(context, outcome);
    return EXIT.done;
  },
  /** The server makes it while it sends it; the file is here. */
  async remote(context, { arguments: { file }, options: { point: asked = 'latest' } }) {
    refuseMixing(context, file);
    const { clock, output, server, cwd } = context;
    const started = clock.monotonic();
    const path = file === '-' ? undefined : resolve(cwd, file);
    if (path !== undefined) await refuseExisting(path);
    const point = await server.client.call(getPoint, { params: { point: asked }, query: server.app });
    const whole = createHash('sha256');
    let bytes = 0;
    const parts = async function* () {
      for await (const part of server.client.bytes(readPackage, { params: { point: point.id }, query: server.app })) {
        whole.update(part);
        bytes += part.length;
        yield part;
      }
    };
    if (path === undefined) for await (const part of parts()) await output.raw(part);
    else await writeNewFile(path, parts());
    await report(context, {
      ...{ app: point.app, point: point.id as ExportOutcome['point'], short_id: point.short_id, time: point.time },
      ...{ file: path ?? null, bytes, sha256: whole.digest('hex') },
      duration_s: (clock.monotonic() - started) / 1000,
    });
    return EXIT.done;
  },
});

/** Throws `usage`. */
function refuseMixing({ flags }: Context, file: string): void {
  if (file === '-' && flags.json)
    throw new Failure('usage', 'FILE "-" prints the archive itself; --json does not go with it.');
}

async function report({ flags, output }: Context, outcome: ExportOutcome): Promise<void> {
  const { file, bytes, short_id: id, time, sha256 } = outcome;
  if (file === null) return output.note(`Point ${id} of ${time}: ${formatBytes(bytes)}, SHA-256 ${sha256}`);
  if (flags.json) return output.summary({ ...outcome });
  await output.line(`Point ${id} of ${time} in ${file}: ${formatBytes(bytes)}`);
  await output.line(`SHA-256 ${sha256}`);
  await output.note('It is not encrypted: keep it like the database itself.');
}
