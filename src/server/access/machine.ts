/** Access for commands on the machine itself, in their own process: nobody else can ask, so nobody is asked who they are. */
import type { AccessControl } from '../principal.ts';
import { createAccess } from './control.ts';
import { MachineOperator } from './identity.ts';
import type { AccessDeps } from './world.ts';

/** `actor`: as the audit log names whoever runs the command. */
export function createMachineAccess(deps: AccessDeps, actor: string): AccessControl {
  const operator = new MachineOperator(actor);
  return { ...createAccess(deps), authenticate: async () => operator };
}
