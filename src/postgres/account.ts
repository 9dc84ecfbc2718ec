/** Which account a server of ours runs as. PostgreSQL refuses to run as root, and wants an account that /etc/passwd knows. */
import { readFileSync } from 'node:fs';
import { chown, lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../base/failure.ts';

export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order; the first that the machine knows is taken. */
const CANDIDATES = ['postgres', 'nobody', 'daemon'];

/**
 * The account to start servers as: `undefined` (ourselves) unless we are root. `preferred` is a name or a numeric uid of /etc/passwd.
 * Throws Failure `postgres_start_failed` when there is none.
 */
export function serverAccount(preferred?: string | number): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = readFileSync('/etc/passwd', 'utf8').split('\n').flatMap(parseLine);
  const wanted = preferred === undefined ? CANDIDATES : [preferred];
  for (const name of wanted) {
    const account = known.find((entry) => entry.name === name || entry.uid === name);
    if (account && account.uid !== 0) return account;
  }
  throw new Failure(
    'postgres_start_failed',
    `No account to run PostgreSQL as: ${wanted.join(', ')} not found in /etc/passwd.`,
    {
      hint: 'PostgreSQL does not run as root. Run this as an ordinary user, or create one: useradd --system postgres',
    },
  );
}

/** Gives `path` and everything in it to `account`; links are not followed. */
export async function giveTo(account: ServerAccount, path: string): Promise<void> {
  await chown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(account, child);
    else await lchown(child, account.uid, account.gid);
  }
}

function parseLine(line: string): ServerAccount[] {
  const [name, , uid, gid] = line.split(':');
  return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
}
