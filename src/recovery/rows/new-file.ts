/** A file that appears whole or not at all, readable by its owner only, and never in place of another unless that was asked for. */
import { randomBytes } from 'node:crypto';
import { access, link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';

/** Writes `chunks` to `path`, durably. Throws `target_exists`, `target_full`, `target_unwritable`. Returns the bytes written. */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<string | Uint8Array>,
  { force = false }: { readonly force?: boolean } = {},
): Promise<number> {
  if (!force) await refuseExisting(path);
  const partial = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.partial`);
  try {
    const bytes = await writeAll(path, partial, chunks);
    if (force) await rename(partial, path);
    else await link(partial, path).catch((error: unknown) => fail(path, error));
    return bytes;
  } finally {
    await rm(partial, { force: true });
  }
}

/** Throws `target_exists`; better known before the work than after it. */
export async function refuseExisting(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) throw exists(path);
}

async function writeAll(path: string, partial: string, chunks: AsyncIterable<string | Uint8Array>): Promise<number> {
  const file = await open(partial, 'wx', 0o600).catch((error: unknown) => fail(path, error));
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      await file.writeFile(data).catch((error: unknown) => fail(path, error));
      bytes += data.length;
    }
    await file.sync().catch((error: unknown) => fail(path, error));
  } finally {
    await file.close();
  }
  return bytes;
}

function exists(path: string): Failure {
  return new Failure('target_exists', `${path} exists.`, {
    hint: 'Choose another name, or give --force to replace it.',
  });
}

function fail(path: string, error: unknown): never {
  const [code, message] = [errno(error), error instanceof Error ? error.message : String(error)];
  if (code === 'EEXIST') throw exists(path);
  throw new Failure(code === 'ENOSPC' ? 'target_full' : 'target_unwritable', `${path} cannot be written: ${message}.`, {
    cause: error,
  });
}
