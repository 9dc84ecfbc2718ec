/**
 * Which commit a checkout stands at, read from its `.git` files: no `git` program is needed, and none of the checkout's configuration is
 * obeyed. Worktrees and submodules (`.git` is a file), packed references, and a detached HEAD are understood; the `reftable` form of
 * references is not.
 */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { printable } from '../../base/printable.ts';
import { hasLocalChanges } from './git-index.ts';
import { readSmallText } from './read-small.ts';

export interface GitFacts {
  /** 40 hex digits, or 64 in a SHA-256 repository. */
  readonly commit: string;
  /** Undefined when HEAD is detached. */
  readonly branch?: string;
  /** Whether tracked files were changed. Undefined when that cannot be told. Untracked files do not count. */
  readonly dirty?: boolean;
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const SMALL = 4096;
const MAX_PACKED_REFS = 32 * 1024 * 1024;
/** References that only point to references; Git itself stops at five. */
const MAX_HOPS = 5;

/** The facts of the checkout that `path` is in; undefined when it is in none, or has no commit yet. */
export async function readGitCheckout(path: string): Promise<GitFacts | undefined> {
  const found = await findGitDirectory(resolve(path));
  if (found === undefined) return undefined;
  const head = await readSmallText(join(found.gitDirectory, 'HEAD'), SMALL);
  if (head === undefined) return undefined;
  const branch = /^ref: refs\/heads\/([^\n]+)$/.exec(head.trim())?.[1];
  const commit = await resolveReference(head, found.gitDirectory, await commonDirectory(found.gitDirectory));
  if (commit === undefined) return undefined;
  const hashName = commit.length === 40 ? 'sha1' : 'sha256';
  const dirty = await hasLocalChanges(found.workTree, join(found.gitDirectory, 'index'), hashName);
  return {
    commit,
    ...(branch === undefined ? {} : { branch: printable(branch.slice(0, 255)) }),
    ...(dirty === undefined ? {} : { dirty }),
  };
}

async function findGitDirectory(start: string): Promise<{ workTree: string; gitDirectory: string } | undefined> {
  for (let directory = start; ; directory = dirname(directory)) {
    const candidate = join(directory, '.git');
    const stats = await stat(candidate).catch(() => undefined);
    if (stats?.isDirectory()) return { workTree: directory, gitDirectory: candidate };
    if (stats?.isFile()) {
      const target = /^gitdir: ([^\n\0]+)/.exec((await readSmallText(candidate, SMALL)) ?? '')?.[1];
      return target === undefined ? undefined : { workTree: directory, gitDirectory: resolve(directory, target) };
    }
    if (directory === dirname(directory)) return undefined;
  }
}

/** Where the references are: in a worktree, the directory of the main checkout. */
async function commonDirectory(gitDirectory: string): Promise<string> {
  const common = (await readSmallText(join(gitDirectory, 'commondir'), SMALL))?.trim();
  return common === undefined || common === '' || common.includes('\0') ? gitDirectory : resolve(gitDirectory, common);
}

async function resolveReference(head: string, gitDirectory: string, common: string): Promise<string | undefined> {
  let text = head.trim();
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    if (COMMIT.test(text)) return text;
    const name = /^ref: (refs\/[^\n\0]+)$/.exec(text)?.[1];
    if (name === undefined || name.split('/').includes('..')) return undefined;
    const own =
      (await readSmallText(join(gitDirectory, name), SMALL)) ?? (await readSmallText(join(common, name), SMALL));
    text = (own ?? (await packedReference(common, name)) ?? '').trim();
  }
  return undefined;
}

/** Lines of `<commit> <name>`, and `^<commit>` for what a tag points to. */
async function packedReference(common: string, name: string): Promise<string | undefined> {
  const packed = await readSmallText(join(common, 'packed-refs'), MAX_PACKED_REFS);
  const line = packed?.split('\n').find((candidate) => candidate.endsWith(` ${name}`) && !candidate.startsWith('#'));
  const commit = line?.slice(0, line.indexOf(' '));
  return commit !== undefined && line === `${commit} ${name}` ? commit : undefined;
}
