/** Names of users and groups, read once from `/etc/passwd` and `/etc/group`. Accounts kept elsewhere (LDAP) stay numbers. */
import { readFileSync } from 'node:fs';

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
