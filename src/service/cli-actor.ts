/** Who acts by commands on the machine itself, as the audit log names them. */
import { hostname, userInfo } from 'node:os';

export function cliActor(): string {
  return `cli:${userInfo().username}@${hostname()}`;
}
