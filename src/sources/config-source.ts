/**
 * The config source: chosen files, with what looks like a secret masked unless the operator says otherwise. What counts as one, and how
 * it is masked, is written out in docs/guide/configuration-files.md.
 *
 * A notice says how many places were masked in a file, never which. A file that cannot be searched (larger than 1 MiB, or no text) is
 * left out, and so is `.env`, unless secrets are kept.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { errno } from '../base/errno.ts';
import { printable } from '../base/printable.ts';
import { type Chosen, chooseFiles } from './config/choose.ts';
import { isEnvironmentFile } from './config/env-files.ts';
import { LARGEST_SEARCHED, maskSecrets } from './config/mask.ts';
import { MASK } from './config/spans.ts';
import type { LooseEntry, Meta, Notify, SourceNotice } from './entry.ts';
import { type Accounts, metaOf, readAccounts } from './file-meta.ts';
import { reasonOf } from './system-errors.ts';

export { MASK };

/** `mask`: secret-looking values are replaced; `omit`: files that have any are left out; `keep`: files are kept as they are. */
export type SecretPolicy = 'mask' | 'keep' | 'omit';

export interface ConfigSourceOptions {
  /** Files, directories and globs; relative ones are relative to `base`. */
  readonly paths: readonly string[];
  /** Absolute: the directory of the configuration that names the paths. */
  readonly base: string;
  readonly secrets: SecretPolicy;
  readonly signal?: AbortSignal;
  readonly notify: Notify;
}

/**
 * The chosen files. A named file that is missing or cannot be read gives an `unreadable` notice.
 * Throws `config_invalid` when a path chooses more than 10,000 files, and the signal's reason when it fires.
 */
export async function* configSource(options: ConfigSourceOptions): AsyncGenerator<LooseEntry, void> {
  const { paths, base, notify, signal } = options;
  const accounts = readAccounts();
  for (const chosen of await chooseFiles(paths, base, notify)) {
    signal?.throwIfAborted();
    const outcome = await readChosen(chosen, options.secrets, accounts);
    if ('notice' in outcome) notify({ ...outcome.notice, item: printable(chosen.path) });
    if ('entry' in outcome) yield outcome.entry;
  }
}

type Remark = Omit<SourceNotice, 'item'>;
type Outcome = { readonly entry: LooseEntry; readonly notice?: Remark } | { readonly notice: Remark };

async function readChosen(chosen: Chosen, secrets: SecretPolicy, accounts: Accounts): Promise<Outcome> {
  try {
    const target = await realpath(chosen.path);
    if (secrets !== 'keep' && (isEnvironmentFile(chosen.path) || isEnvironmentFile(target))) {
      return skipped(
        'an environment file is not kept unless this source says "secrets: keep"; keep a .env.example beside it',
      );
    }
    await using file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) return skipped('it is not a regular file');
    const meta = metaOf(accounts, stats);
    if (secrets === 'keep') return { entry: asItIs(chosen, target, meta, Number(stats.size)) };
    return searched(chosen, meta, secrets, await readAtMost(file, LARGEST_SEARCHED + 1));
  } catch (error) {
    if (errno(error) === undefined) throw error;
    return { notice: { kind: 'unreadable', reason: reasonOf(error) } };
  }
}

function asItIs(chosen: Chosen, target: string, meta: Meta, size: number): LooseEntry {
  const body = { kind: 'path', path: Buffer.from(target) } as const;
  return { type: 'file', path: chosen.stored, meta, size, body, cutting: { by: 'content' } };
}

function searched(chosen: Chosen, meta: Meta, secrets: SecretPolicy, bytes: Buffer): Outcome {
  const result = maskSecrets(chosen.stored, bytes);
  if (result === undefined) {
    const why = bytes.length > LARGEST_SEARCHED ? 'it is larger than 1 MiB' : 'it is not a text file';
    return skipped(`${why} and cannot be searched for secrets; say "secrets: keep" to keep it`);
  }
  const { content, masked } = result;
  const places = masked === 1 ? '1 place that looks' : `${masked} places that look`;
  if (masked > 0 && secrets === 'omit') return skipped(`it has ${places} like a secret`);
  const body = { kind: 'bytes', bytes: content } as const;
  const entry: LooseEntry = {
    type: 'file',
    path: chosen.stored,
    meta,
    size: content.length,
    body,
    cutting: { by: 'content' },
  };
  if (masked === 0) return { entry };
  return {
    entry,
    notice: { kind: 'masked', reason: `${places} like a secret ${masked === 1 ? 'was' : 'were'} masked` },
  };
}

function skipped(reason: string): Outcome {
  return { notice: { kind: 'skipped', reason } };
}

/** The first `limit` bytes of a file. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, limit - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === limit) return buffer.subarray(0, length);
  }
}
