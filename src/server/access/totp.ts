/** Codes of an authenticator (RFC 6238: SHA-1, six digits, thirty seconds, as all of them do), and recovery codes for when it is lost. */
import { Secret, TOTP } from 'otpauth';
import type { CatalogDb } from '../../catalog/catalog.ts';
import { claimRecoveryCode, claimTotpStep, type User } from '../../catalog/users.ts';
import { hashSecret, newCode, typedCode } from './secrets.ts';
import type { ServerKey } from './server-key.ts';

const STEP_MS = 30_000;
/** Steps that a clock may be wrong, either way. */
const WINDOW = 1;
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
/** Of an authenticator; recovery codes are longer, and are checked without the server's key. */
const DIGITS = /^(?:\s*\d){6}\s*$/;

export interface Enrolment {
  /** Base 32. */
  readonly secret: string;
  /** For a QR code. */
  readonly uri: string;
}

export function newEnrolment(account: string): Enrolment {
  const secret = new Secret({ size: SECRET_BYTES }).base32;
  return { secret, uri: authenticator(secret, account).toString() };
}

/** What its secret is sealed for. */
export function aboutTotp({ id }: Pick<User, 'id'>): string {
  return `totp ${id}`;
}

/** The time step of a code that fits, or undefined. */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const delta = authenticator(secret).validate({ token: code.replace(/\s/g, ''), timestamp: now, window: WINDOW });
  return delta === null ? undefined : Math.floor(now / STEP_MS) + delta;
}

/**
 * Whether `code` is the authenticator's, newer than any used before, or a recovery code that is left. It is used up. Throws `server_key_missing`,
 * `server_key_wrong`.
 */
export async function useCode(
  db: CatalogDb,
  user: User,
  { code, key, now }: { readonly code: string; readonly key: ServerKey; readonly now: number },
): Promise<'totp' | 'recovery' | undefined> {
  if (user.totp_secret === null) return undefined;
  const step = DIGITS.test(code) ? stepOf(await key.open(user.totp_secret, aboutTotp(user)), code, now) : undefined;
  if (step !== undefined) return (await claimTotpStep(db, user.id, step)) ? 'totp' : undefined;
  return (await claimRecoveryCode(db, user, hashSecret(typedCode(code)))) ? 'recovery' : undefined;
}

/** Shown once; `hashes` are kept. */
export function newRecoveryCodes(): { readonly codes: readonly string[]; readonly hashes: readonly string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => newCode(4, 4));
  return { codes, hashes: codes.map((code) => hashSecret(typedCode(code))) };
}

function authenticator(secret: string, label = 'account'): TOTP {
  return new TOTP({ issuer: 'Holdfast', label, secret: Secret.fromBase32(secret), period: STEP_MS / 1_000 });
}
