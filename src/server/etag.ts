/** Versions of what is answered: the hash of its bytes. */
import { hash } from 'node:crypto';
import { Failure } from '../base/failure.ts';

export function etagOf(text: string | Uint8Array): string {
  return `"${hash('sha512-256', text, 'base64url').slice(0, 27)}"`;
}

/** Whether a header of several tags, or `*`, names this one; weak tags count as strong ones. */
export function names(header: string | null | undefined, etag: string): boolean {
  if (header === null || header === undefined) return false;
  return header.split(',').some((given) => given.trim() === '*' || given.trim().replace(/^W\//, '') === etag);
}

/** Throws `changed_meanwhile` when `If-Match` names another version than that of `current`. */
export function requireMatch(request: Request, current: string): void {
  const header = request.headers.get('if-match');
  if (header === null || names(header, etagOf(current))) return;
  throw new Failure('changed_meanwhile', 'It was changed since you read it.', { hint: 'Read it again, then decide.' });
}
