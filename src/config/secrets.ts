/** Fetches values that are kept elsewhere. Their content never appears in a message. */
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
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

/** No secret is larger, in bytes. */
const MAX_BYTES = 64 * 1024;

/** How messages name a reference: `env NAME`, `file /run/secrets/x`, `command pass`. */
export function describeReference(reference: Reference): string {
  if ('env' in reference) return `env ${reference.env}`;
  return 'file' in reference ? `file ${reference.file}` : `command ${reference.command[0]}`;
}

/** The referenced text; line breaks at its end are cut off. Throws `secret_unavailable`; `what` names the value in its message. */
export async function resolveSecret(reference: Reference, what: string, world: SecretWorld): Promise<string> {
  const text = await fetchText(reference, what, world);
  const trimmed = text.replace(/[\r\n]+$/, '');
  if (trimmed === '') throw unavailable(what, reference, 'is empty');
  return trimmed;
}

function fetchText(reference: Reference, what: string, world: SecretWorld): Promise<string> | string {
  if ('file' in reference) return fromFile(reference, what, world);
  if ('command' in reference) return fromCommand(reference, what, world);
  const text = world.env[reference.env];
  if (text === undefined)
    throw unavailable(what, reference, 'is not set', `Set the environment variable ${reference.env}.`);
  return text;
}

async function fromFile(reference: Reference & { file: string }, what: string, world: SecretWorld): Promise<string> {
  const path = resolve(world.directory, reference.file);
  try {
    await using handle = await open(path, 'r');
    const status = await handle.stat();
    if (status.isDirectory()) throw unavailable(what, reference, 'is a directory');
    if ((status.mode & 0o004) !== 0) {
      world.onWarning?.(`${path} (${what}) can be read by everybody on this machine.`, `Run: chmod o= '${path}'`);
    }
    return await readBounded(handle, () => unavailable(what, reference, 'is too large to be a secret (over 64 KiB)'));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unreadable(what, reference, path, error as NodeJS.ErrnoException);
  }
}

function unreadable(what: string, reference: Reference, path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === 'ENOENT') {
    return unavailable(
      what,
      reference,
      'does not exist',
      `Put the value into ${path}, readable by its owner only.`,
      error,
    );
  }
  if (error.code === 'EACCES') {
    const hint = `Run as the account that may read ${path}, or give that right to this one.`;
    return unavailable(what, reference, 'may not be read by this account', hint, error);
  }
  return unavailable(what, reference, `cannot be read: ${error.message}`, undefined, error);
}

/** Reads to the end, also of pipes (`/dev/fd/…`), which have no size. */
async function readBounded(
  handle: { read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }> },
  tooLarge: () => Failure,
): Promise<string> {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let used = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, used, buffer.length - used);
    used += bytesRead;
    if (used > MAX_BYTES) throw tooLarge();
    if (bytesRead === 0) return buffer.toString('utf8', 0, used);
  }
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
  if (error.code === 'ENOENT') return 'cannot be started: there is no such program';
  if (error.code === 'EACCES') return 'cannot be started: it is not executable';
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
