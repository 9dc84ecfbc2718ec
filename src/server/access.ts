/** Who may come in and what they may do: what the rest of the house uses of it. */
export {
  accountName,
  addAccount,
  grantRole,
  listAccounts,
  removeAccount,
  revokeRole,
  setAccountPassword,
} from './access/accounts.ts';
export {
  type AuditCheck,
  acceptAudit,
  checkAudit,
  keepHeadsOfCopy,
  requireSameAudit,
} from './access/audit-check.ts';
export { type AuditFormat, auditText } from './access/audit-export.ts';
export { createAccess } from './access/control.ts';
export { createMachineAccess } from './access/machine.ts';
export { Passwords } from './access/passwords.ts';
export { newSetupCode } from './access/setup.ts';
export { endToken, issueToken } from './access/tokens.ts';
export { showToken, showUser } from './access/views.ts';
