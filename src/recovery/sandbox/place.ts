/**
 * The private directory of a sandbox. A marker in it names the process that owns it, so that what a dead process left behind is known for
 * what it is and removed by the next one; the watchdog of a running server removes it at once.
 */
import { readFileSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure } from '../../base/failure.ts';
import { parseJsonObject } from '../../base/json-object.ts';
import { makeDirectories } from '../../base/make-directories.ts';
import type { ServerAccount } from '../../postgres/account.ts';
import { runProgram } from '../../postgres/run-program.ts';
import type { Holder } from '../../repository/locks.ts';

const PREFIX = 'holdfast-sandbox-';
const MARKER_NAME = 'owner.json';
const MAX_MARKER = 4096;

export interface SandboxPlace extends AsyncDisposable {
  /** Absolute. Ours; others may pass but not look. */
  readonly path: string;
  /** The part of it that the server's account owns, closed to everybody else. */
  readonly restored: string;
}

/** The process that a sandbox belongs to. `started` tells it from a later one of the same number. */
interface Owner {
  readonly system: string;
  readonly pid: number;
  readonly started: string;
}

/** Makes the directory below `parent` (default: that of the machine for temporary files), after removing what dead processes left there. */
export async function makePlace(
  parent: string | undefined,
  account: ServerAccount | undefined,
  holder: Holder,
): Promise<SandboxPlace> {
  const above = await makeParent(resolve(parent ?? tmpdir()));
  await removeLeftovers(above, holder);
  const path = await mkdtemp(join(above, PREFIX));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    const owner: Owner = { system: holder.system, pid: holder.pid, started: startOf(holder.pid) };
    await writeFile(join(path, MARKER_NAME), JSON.stringify(owner), { mode: 0o600 });
    await chmod(path, 0o711);
    const restored = join(path, 'restored');
    await mkdir(restored, { mode: 0o700 });
    if (account) await chown(restored, account.uid, account.gid);
    await assertReachable(restored, account);
    return { path, restored, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Throws `target_unwritable` when the account cannot get into a directory that is its own. */
export async function assertReachable(directory: string, account: ServerAccount | undefined): Promise<void> {
  if (!account) return;
  const tried = await runProgram('/bin/sh', ['-c', 'cd -- "$0"', directory], { account });
  if (tried.code === 0) return;
  throw new Failure(
    'target_unwritable',
    `The account ${account.name}, which runs PostgreSQL, cannot get into ${directory}.`,
    { hint: 'Choose a directory whose parents let everybody pass (chmod o+x), for example below /var/tmp.' },
  );
}

async function makeParent(path: string): Promise<string> {
  try {
    await makeDirectories(path);
    return await realpath(path);
  } catch (cause) {
    throw new Failure('target_unwritable', `${path} cannot be made: ${(cause as Error).message}.`, { cause });
  }
}

async function removeLeftovers(parent: string, holder: Holder): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isDirectory() || stats.uid !== process.getuid?.()) continue;
    const owner = await readOwner(path);
    if (owner !== undefined && isGone(owner, holder)) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const text = await readFile(join(path, MARKER_NAME), 'utf8');
    const { system, pid, started } = parseJsonObject(text.slice(0, MAX_MARKER)) ?? {};
    if (typeof system !== 'string' || typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return { system, pid, started };
  } catch {
    return undefined;
  }
}

/** Of another system (an earlier boot, another container) nothing is known; after a restart that is decided by hand. */
function isGone(owner: Owner, holder: Holder): boolean {
  if (owner.system !== holder.system) return false;
  return !holder.isAlive(owner.pid) || startOf(owner.pid) !== owner.started;
}

/** When a process began, in ticks since the boot: the twenty-second field, counted after the name, which may hold anything. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
