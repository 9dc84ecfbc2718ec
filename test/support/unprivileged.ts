/** Which account a test starts a server as: PostgreSQL and Ceph refuse to run as root. */
import { readFileSync } from 'node:fs';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order; the first that the machine knows is taken. PostgreSQL wants an account with a line in /etc/passwd. */
const CANDIDATES = ['postgres', 'nobody', 'daemon'];

/** The account to start servers as when the tests run as root; undefined when they do not (then servers run as ourselves). */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = readFileSync('/etc/passwd', 'utf8').split('\n').map(parseLine);
  for (const name of CANDIDATES) {
    const account = known.find((entry) => entry?.name === name);
    if (account !== undefined && account.uid !== 0) return account;
  }
  throw new Error(`Run the tests as an ordinary user: /etc/passwd has none of ${CANDIDATES.join(', ')}.`);
}

function parseLine(line: string): Account | undefined {
  const [name, , uid, gid] = line.split(':');
  if (name === undefined || uid === undefined || gid === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}
