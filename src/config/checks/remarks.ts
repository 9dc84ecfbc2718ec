/**
 * What is allowed but should be said: keys that this version reads and cannot act on, secrets written into the file, sources that hold
 * a storage. An option that silently does nothing would be a lie.
 */
import { relative, resolve } from 'node:path';
import { dotted, type Path } from '../problem.ts';
import type { FileValues } from '../schema/file.ts';
import { isSecretPath } from '../secret-paths.ts';
import { entriesAt, itemsAt, valueAt } from '../values.ts';

export interface LooseRemark {
  readonly path: Path;
  readonly message: string;
}

export function remarksOn(
  values: FileValues,
  place: { readonly directory: string; readonly mode: number },
): LooseRemark[] {
  return [
    ...Object.keys(values.apps).flatMap((app) => idleKeys(values, ['apps', app])),
    ...(Object.keys(values.apps).length === 0
      ? [{ path: [], message: 'names no apps: nothing can be backed up with this file' }]
      : []),
    ...plainSecrets(values, place.mode),
    ...storagesInsideSources(values, place.directory),
  ];
}

/** Keys that are read and checked, and that nothing acts on yet. */
function idleKeys(values: FileValues, app: Path): LooseRemark[] {
  const remarks: LooseRemark[] = [];
  const idle = (path: Path, message: string) => {
    const value = valueAt(values, path);
    const given = Array.isArray(value) ? value.length > 0 : value !== undefined;
    if (given) remarks.push({ path, message });
  };
  idle([...app, 'tenants'], 'tenants are read but this version cannot back up or restore single tenants');
  return remarks;
}

function plainSecrets(values: FileValues, mode: number): LooseRemark[] {
  const found = secretTexts(values, []);
  const exposed = found.length > 0 && (mode & 0o004) !== 0;
  return [
    ...found.map((path) => ({
      path,
      message: 'is written in this file; { env: … }, { file: … } or { command: […] } keeps it elsewhere',
    })),
    ...(exposed
      ? [
          {
            path: [],
            message: 'everybody on this machine can read this file and the secrets in it; run: chmod o= on it',
          },
        ]
      : []),
  ];
}

function secretTexts(value: unknown, path: Path): Path[] {
  if (typeof value === 'string') return isSecretPath(path) && holdsSecret(value, path) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, at) => secretTexts(item, [...path, at]));
  return entriesAt(value, []).flatMap(([key, item]) => secretTexts(item, [...path, key]));
}

/** The URL of a database is secret only for the password in it; a key's id without its secret opens nothing. */
function holdsSecret(text: string, path: Path): boolean {
  if (path.at(-1) === 'accessKeyId') return false;
  const url = path.at(-1) === 'url' ? URL.parse(text) : null;
  return url === null || url.password !== '' || url.searchParams.has('password');
}

function storagesInsideSources(values: FileValues, directory: string): LooseRemark[] {
  const paths = (path: Path, type: string) =>
    entriesAt(values, path).flatMap(([name, thing]): [string, string][] => {
      const given = valueAt(thing, ['path']);
      return valueAt(thing, ['type']) === type && typeof given === 'string' ? [[name, resolve(directory, given)]] : [];
    });
  const storages = paths(['storages'], 'local');
  return Object.keys(values.apps).flatMap((app) =>
    paths(['apps', app, 'sources'], 'files').flatMap(([source, outer]) =>
      storages
        .filter(
          ([, inner]) =>
            contains(outer, inner) && itemsAt(values, ['apps', app, 'sources', source, 'exclude']).length === 0,
        )
        .map(([storage]) => ({
          path: ['apps', app, 'sources', source, 'path'],
          message: `holds ${dotted(['storages', storage])}: backups would go into the next backup; leave it out with exclude`,
        })),
    ),
  );
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || (!way.startsWith('..') && !way.startsWith('/'));
}
