/**
 * What a token may touch, besides its role: `AREA:read` or `AREA:write`, where the area is the word after `/api/v1/`, or `*`. Writing includes
 * reading.
 */
import { Failure } from '../../base/failure.ts';

export const EVERYTHING = '*:write';
const SCOPE = /^(?:\*|[a-z][a-z-]{0,40}):(?:read|write)$/;
const API = /^\/api\/v\d+\/([a-z-]+)/;

export const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export function isScope(text: string): boolean {
  return SCOPE.test(text);
}

/** Throws `forbidden`. Paths outside the API, such as the metrics, are an area of their first word. */
export function requireScope(scopes: readonly string[], method: string, path: string): void {
  const area = API.exec(path)?.[1] ?? path.split('/')[1] ?? '';
  const ways = SAFE_METHODS.includes(method) ? ['read', 'write'] : ['write'];
  if (ways.some((way) => scopes.includes(`${area}:${way}`) || scopes.includes(`*:${way}`))) return;
  throw new Failure('forbidden', `This token has no scope for it: ${area}:${ways[0]}.`);
}
