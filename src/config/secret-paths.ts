/** Which values of the file are secret wherever they come from, and how text that may hold a password is shown. */
import type { Path } from './problem.ts';

const SECRETS: readonly (readonly string[])[] = [
  ['repository', 'password'],
  ['storages', '*', 'accessKeyId'],
  ['storages', '*', 'secretAccessKey'],
  ['storages', '*', 'sessionToken'],
  ['apps', '*', 'sources', '*', 'url'],
];

export const MASK = '********';

export function isSecretPath(path: Path): boolean {
  return SECRETS.some(
    (pattern) => pattern.length === path.length && pattern.every((part, at) => part === '*' || part === path[at]),
  );
}

/** The value as it may be shown: secrets masked, of a URL only its password. */
export function masked(path: Path, text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  if (url === null) return isSecretPath(path) ? MASK : text;
  return maskedUrl(url, text);
}

const SECRET_PARAMETERS = ['password', 'sslpassword'];

function maskedUrl(url: URL, text: string): string {
  const parameters = SECRET_PARAMETERS.filter((name) => url.searchParams.has(name));
  if (url.password === '' && parameters.length === 0) return text;
  if (url.password !== '') url.password = MASK;
  for (const name of parameters) url.searchParams.set(name, MASK);
  return url.href;
}
