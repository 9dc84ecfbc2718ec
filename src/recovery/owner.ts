/** Whom restored files are to belong to: `USER`, `USER:GROUP` or `:GROUP` are names of this machine's accounts, or numbers. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../base/failure.ts';
import type { Ownership } from '../repository/restore-metadata.ts';

const HINT = 'Write USER or USER:GROUP, by name or number.';

/** As recorded when we may give files away, else ours. */
export function defaultOwnership(uid: number | undefined): Ownership {
  return uid === 0 ? 'recorded' : 'none';
}

/** Throws `usage` for accounts that this machine does not know, and when we may not give files to that one. */
export async function parseOwner(text: string, own: { uid: number; gid: number }): Promise<Ownership> {
  const [user = '', group, ...more] = text.split(':');
  if (more.length > 0 || user === '') throw new Failure('usage', `"${text}" names no owner.`, { hint: HINT });
  const account = await findUser(user);
  const gid = group === undefined || group === '' ? account.gid : await findGroup(group);
  if (own.uid !== 0 && account.uid !== own.uid) {
    throw new Failure('usage', `Only root can give files to ${user}.`, {
      hint: 'Run the restore as root, or without --owner.',
    });
  }
  return { uid: account.uid, gid: gid ?? own.gid };
}

async function findUser(name: string): Promise<{ uid: number; gid: number | undefined }> {
  for (const [known, , uid, gid] of await lines('/etc/passwd')) {
    if (known === name || uid === name) return { uid: Number(uid), gid: Number(gid) };
  }
  if (/^\d{1,10}$/.test(name)) return { uid: Number(name), gid: undefined };
  throw new Failure('usage', `This machine knows no user "${name}".`, { hint: HINT });
}

async function findGroup(name: string): Promise<number> {
  for (const [known, , gid] of await lines('/etc/group')) if (known === name || gid === name) return Number(gid);
  if (/^\d{1,10}$/.test(name)) return Number(name);
  throw new Failure('usage', `This machine knows no group "${name}".`, { hint: HINT });
}

async function lines(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.split(':'));
}
