/**
 * The metadata of an entry, from what the system says of it. Names of users and groups are read once, from `/etc/passwd` and
 * `/etc/group`; accounts kept elsewhere (LDAP) stay numbers.
 */
import { type BigIntStats, readFileSync } from 'node:fs';
import type { Meta } from './entry.ts';

export interface Accounts {
  user(uid: number): string | undefined;
  group(gid: number): string | undefined;
}

export interface AccountFiles {
  readonly passwd?: string;
  readonly group?: string;
}

/** Reads both files; one that is missing gives no names. */
export function readAccounts(files: AccountFiles = {}): Accounts {
  const users = namesById(files.passwd ?? '/etc/passwd');
  const groups = namesById(files.group ?? '/etc/group');
  return { user: (uid) => users.get(uid), group: (gid) => groups.get(gid) };
}

/** Lines of `name:password:id:…`; the first name of an id counts, as with `getpwuid`. */
function namesById(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of readLines(path)) {
    const [name, , id] = line.split(':');
    if (!name || id === undefined || !/^\d{1,10}$/.test(id) || names.has(Number(id))) continue;
    names.set(Number(id), name);
  }
  return names;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** `meta` itself, with the names of its user and group added where they have any. */
export function withNames(accounts: Accounts, meta: Writable<Meta>): Meta {
  const user = accounts.user(meta.uid);
  const group = accounts.group(meta.gid);
  if (user !== undefined) meta.user = user;
  if (group !== undefined) meta.group = group;
  return meta;
}

/** The metadata that `stats` (of `stat`, `lstat` or `fstat`) gives. */
export function metaOf(accounts: Accounts, stats: BigIntStats): Meta {
  return withNames(accounts, {
    mode: Number(stats.mode) & 0o7777,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    inode: BigInt.asUintN(64, stats.ino),
    deviceId: BigInt.asUintN(64, stats.dev),
    links: Number(stats.nlink),
  });
}
