/** Which values of the file are secret wherever they come from, and how text that may hold a password is shown. */
import type { Path } from './problem.ts';

const SECRETS: readonly (readonly string[])[] = [
  ['repository', 'password'],
  ['storages', '*', 'accessKeyId'],
  ['storages', '*', 'secretAccessKey'],
  ['storages', '*', 'sessionToken'],
  ['apps', '*', 'sources', '*', 'url'],
  ['server', 'oidc', 'clientSecret'],
  ['server', 'key'],
  ...['url', 'secret', 'password', 'username', 'routingKey'].map((key) => ['alerts', 'channels', '*', key]),
  ['alerts', 'deadMan', 'url'],
];

export const MASK = '********';

export function isSecretPath(path: Path): boolean {
  return SECRETS.some(
    (pattern) => pattern.length === path.length && pattern.every((part, at) => part === '*' || part === path[at]),
  );
}

/** `--password=…`, `API_TOKEN=…`: a secret inside an argument of a hook. */
const ASSIGNED = /^(-{0,2}[\w.-]*(?:password|passwd|secret|token|api[-_]?key)[\w.-]*=).+$/is;

/** The user part of an address that is not well formed enough to be taken apart. */
const USER_INFO = /(:\/\/)[^/]*@/g;

/** The value as it may be shown: secrets masked, of a URL only its password. */
export function masked(path: Path, text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  if (url !== null) return maskedUrl(url, text);
  if (isSecretPath(path)) return MASK;
  return text.replace(ASSIGNED, `$1${MASK}`).replace(USER_INFO, `$1${MASK}@`);
}

const SECRET_PARAMETERS = ['password', 'sslpassword'];

function maskedUrl(url: URL, text: string): string {
  const parameters = SECRET_PARAMETERS.filter((name) => url.searchParams.has(name));
  if (url.password === '' && parameters.length === 0) return text;
  if (url.password !== '') url.password = MASK;
  for (const name of parameters) url.searchParams.set(name, MASK);
  return url.href;
}
