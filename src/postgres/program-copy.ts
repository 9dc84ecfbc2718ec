/** A copy of server programs that other accounts can read, kept in the machine's directory for temporary files and used again. */
import { lstatSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** Copies the installation at `root` (which holds `bin`, `lib`, `share`) unless that was done before; returns the copy's root. */
export async function readableCopy(root: string, version: string): Promise<string> {
  const cache = await privateCache();
  const target = join(cache, version);
  if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) return target;
  const draft = await mkdtemp(join(cache, 'draft-'));
  await cp(root, draft, { recursive: true, verbatimSymlinks: true });
  await chmod(draft, 0o755);
  await restoreSymlinks(root, draft);
  try {
    await rename(draft, target);
  } catch (error) {
    // Another process was faster: its copy is as good.
    await rm(draft, { recursive: true, force: true });
    if (!lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
  return target;
}

/** A directory that only we can write, everyone can read; never one that somebody else put there. */
async function privateCache(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const shared = join(tmpdir(), `holdfast-postgres-${uid}`);
  await mkdir(shared, { mode: 0o755 }).catch(() => {});
  const stat = lstatSync(shared, { throwIfNoEntry: false });
  if (stat?.isDirectory() && stat.uid === uid && (stat.mode & 0o022) === 0) {
    await chmod(shared, 0o755);
    return shared;
  }
  const own = await mkdtemp(`${shared}-`);
  await chmod(own, 0o755);
  return own;
}

/** npm packages cannot hold links; `pg-symlinks.json` lists them, and their install script may not have been run. */
async function restoreSymlinks(root: string, copy: string): Promise<void> {
  const text = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[];
  for (const { source, target } of links) {
    const at = join(copy, relative('native', target));
    await symlink(relative(dirname(target), source), at).catch(() => {});
  }
}
