/** Fetches values that are kept elsewhere. Their content never appears in a message. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import type { Reference } from './schema/scalars.ts';

export interface SecretWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths count from here, and commands run here. */
  readonly directory: string;
  readonly onWarning?: ((message: string, hint: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds a command may take. Default half a minute. */
  readonly commandTimeout?: number;
}

const COMMAND_TIMEOUT_MS = 30_000;

/** How often a pipe that holds nothing yet is looked at, in ms. */
const PIPE_PAUSE_MS = 50;

/** No secret is larger, in bytes. */
const MAX_BYTES = 64 * 1024;

/** How messages name a reference: `env NAME`, `file /run/secrets/x`, `command pass`. */
export function describeReference(reference: Reference): string {
  if ('env' in reference) return `env ${reference.env}`;
  return 'file' in reference ? `file ${reference.file}` : `command ${reference.command[0]}`;
}

/**
 * The referenced text. Of a file and of what a command prints, blanks and line breaks at both ends are cut off, and the marks that some
 * editors begin a file with: as restic reads its password file, so that the same file opens the same repository. Throws
 * `secret_unavailable`; `what` names the value in its message.
 */
export async function resolveSecret(reference: Reference, what: string, world: SecretWorld): Promise<string> {
  const text = await fetchText(reference, what, world);
  const trimmed = 'env' in reference ? text.replace(/[\r\n]+$/, '') : text.trim();
  if (trimmed === '') throw unavailable(what, reference, 'is empty', remedyOf(reference, world));
  return trimmed;
}

function remedyOf(reference: Reference, { directory }: SecretWorld): string {
  if ('env' in reference) return `Set the environment variable ${reference.env}.`;
  if ('command' in reference)
    return 'Run the command by hand, as the account that runs Holdfast, and look what it prints.';
  return `Put the value into ${resolve(directory, reference.file)}, readable by its owner only.`;
}

function fetchText(reference: Reference, what: string, world: SecretWorld): Promise<string> | string {
  if ('file' in reference) return fromFile(reference, what, world);
  if ('command' in reference) return fromCommand(reference, what, world);
  const text = world.env[reference.env];
  if (text === undefined) throw unavailable(what, reference, 'is not set', remedyOf(reference, world));
  return text;
}

async function fromFile(reference: Reference & { file: string }, what: string, world: SecretWorld): Promise<string> {
  const path = resolve(world.directory, reference.file);
  try {
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe must not block here
    const status = await handle.stat();
    if (status.isDirectory()) throw unavailable(what, reference, 'is a directory', 'Name the file in it.');
    if ((status.mode & 0o004) !== 0) {
      world.onWarning?.(`${path} (${what}) can be read by everybody on this machine.`, `Run: chmod o= '${path}'`);
    }
    return await readBounded(patient(handle, world), () =>
      unavailable(what, reference, 'is too large to be a secret (over 64 KiB)'),
    );
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unreadable(what, reference, path, world, error);
  }
}

function unreadable(what: string, reference: Reference, path: string, world: SecretWorld, error: unknown) {
  if (errno(error) === 'ENOENT') {
    return unavailable(what, reference, 'does not exist', remedyOf(reference, world), error);
  }
  if (errno(error) === 'EACCES') {
    const hint = `Run as the account that may read ${path}, or give that right to this one.`;
    return unavailable(what, reference, 'may not be read by this account', hint, error);
  }
  return unavailable(what, reference, `cannot be read: ${(error as Error).message}`, undefined, error);
}

interface Readable {
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
}

/** A pipe whose other end is open and has said nothing yet is waited for, as long as a command. */
function patient(handle: Readable, { signal, commandTimeout = COMMAND_TIMEOUT_MS }: SecretWorld): Readable {
  let waits = Math.ceil(commandTimeout / PIPE_PAUSE_MS);
  return {
    read: async (buffer, offset, length) => {
      for (;;) {
        try {
          return await handle.read(buffer, offset, length);
        } catch (error) {
          if (errno(error) !== 'EAGAIN' || waits-- <= 0) throw error;
          await sleep(PIPE_PAUSE_MS, undefined, signal === undefined ? {} : { signal });
        }
      }
    },
  };
}

/** Reads to the end, also of pipes (`/dev/fd/…`), which have no size. */
async function readBounded(handle: Readable, tooLarge: () => Failure): Promise<string> {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let used = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, used, buffer.length - used);
    used += bytesRead;
    if (used > MAX_BYTES) throw tooLarge();
    if (bytesRead === 0) return decode(buffer.subarray(0, used));
  }
}

/** The encodings that editors mark the beginning of a file for; UTF-8 without a mark otherwise. The decoder drops the mark. */
function decode(bytes: Buffer): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

function fromCommand(reference: Reference & { command: string[] }, what: string, world: SecretWorld): Promise<string> {
  const [program, ...args] = reference.command;
  const { env, directory: cwd, signal, commandTimeout: timeout = COMMAND_TIMEOUT_MS } = world;
  const options = {
    env: { ...env },
    cwd,
    timeout,
    maxBuffer: MAX_BYTES,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  } as const;
  return new Promise((done, reject) => {
    const child = execFile(
      program!,
      args,
      { ...options, ...(signal === undefined ? {} : { signal }) },
      (error, stdout, stderr) => {
        if (error === null) done(stdout);
        else if (signal?.aborted) reject(signal.reason);
        else
          reject(
            unavailable(
              what,
              reference,
              commandComplaint(error, stderr, timeout),
              undefined,
              error.code === 'ENOENT' ? error : undefined,
            ),
          );
      },
    );
    child.stdin?.end();
  });
}

/** `error` itself carries what the command printed, so it never becomes a cause. */
function commandComplaint(
  error: Error & { code?: string | number | null; killed?: boolean },
  stderr: string,
  timeout: number,
): string {
  if (errno(error) === 'ENOENT') return 'cannot be started: there is no such program';
  if (errno(error) === 'EACCES') return 'cannot be started: it is not executable';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed more than a secret can be (over 64 KiB)';
  if (error.killed) return `did not end within ${timeout / 1_000} s`;
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return `failed with status ${error.code ?? 'unknown'}${said === '' ? '' : `: ${said}`}`;
}

function unavailable(what: string, reference: Reference, complaint: string, hint?: string, cause?: unknown): Failure {
  return new Failure(
    'secret_unavailable',
    `${what}: ${describeReference(reference)} ${complaint}.`.replace(/\.\.$/, '.'),
    {
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
