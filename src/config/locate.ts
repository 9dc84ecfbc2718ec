/** Which file is the configuration, and its text. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';

export interface Where {
  /** `--config`; wins over everything. */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths count from here. */
  readonly cwd: string;
}

export interface LocatedFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

/** A configuration is written by hand; anything larger is something else. */
const MAX_BYTES = 4 * 1024 * 1024;

const SYSTEM_FILE = '/etc/holdfast/holdfast.yaml';

/** Throws `config_missing` when there is none, or when the one that was asked for cannot be read. */
export async function locateFile({ path, env, cwd }: Where): Promise<LocatedFile> {
  if (path !== undefined) return readConfigFile(resolve(cwd, path), '--config');
  const fromEnv = env.HOLDFAST_CONFIG;
  if (fromEnv) return readConfigFile(resolve(cwd, fromEnv), 'HOLDFAST_CONFIG');
  const candidates = [resolve(cwd, 'holdfast.yaml'), SYSTEM_FILE];
  for (const candidate of candidates) {
    const found = await readIfThere(candidate);
    if (found !== undefined) return found;
  }
  throw new Failure('config_missing', `There is no configuration file: neither ${candidates.join(' nor ')}.`, {
    hint: 'Name it with --config FILE or the environment variable HOLDFAST_CONFIG.',
  });
}

async function readConfigFile(file: string, namedBy: string): Promise<LocatedFile> {
  const found = await readIfThere(file);
  if (found !== undefined) return found;
  throw new Failure('config_missing', `${file} (named by ${namedBy}) does not exist.`, {
    hint: 'Check the path; "holdfast config schema" says what such a file holds.',
  });
}

async function readIfThere(file: string): Promise<LocatedFile | undefined> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe must not block here
    const status = await handle.stat();
    if (!status.isFile()) throw noFile(file, status.isDirectory());
    if (status.size > MAX_BYTES)
      throw new Failure('config_invalid', `${file} is too large to be a configuration (over 4 MiB).`);
    return { file, text: decode(await handle.readFile(), file), mode: status.mode & 0o777 };
  } catch (error) {
    const code = errno(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof Failure) throw error;
    if (code === 'EACCES')
      throw new Failure('config_missing', `${file} cannot be read: permission denied.`, {
        hint: 'Run as the account that may read it, or give that right to this one.',
        cause: error,
      });
    throw new Failure('config_missing', `${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

function noFile(file: string, isDirectory: boolean): Failure {
  const hint = isDirectory ? `Name the file in it, such as ${resolve(file, 'holdfast.yaml')}.` : 'Name a file.';
  return new Failure('config_missing', `${file} is ${isDirectory ? 'a directory' : 'not a regular file'}.`, { hint });
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('config_invalid', `${file} is not UTF-8 text.`, { cause });
  }
}
