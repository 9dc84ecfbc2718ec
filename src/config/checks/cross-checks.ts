/**
 * What no single value shows: names that must exist elsewhere, counts that must fit. Works on the plain values, so that these problems
 * are told together with those of the schema; whatever has the wrong shape is skipped here, the schema complains about it.
 */
import { normalize } from 'node:path';
import { nearest } from '../../base/suggest.ts';
import type { Path } from '../problem.ts';
import type { Complaint } from '../schema/problems.ts';
import { entriesAt, itemsAt, valueAt } from '../values.ts';
import { alertChecks } from './alert-checks.ts';
import { scheduleChecks } from './schedule-checks.ts';

export function crossChecks(root: unknown): Complaint[] {
  const storages = entriesAt(root, ['storages']).map(([name]) => name);
  return [
    ...storageCount(root, storages),
    ...sharedPlaces(root),
    ...alertChecks(root, unknownName),
    ...entriesAt(root, ['apps']).flatMap(([app]) => appChecks(root, ['apps', app], storages)),
  ];
}

function storageCount(root: unknown, storages: readonly string[]): Complaint[] {
  const none = storages.length === 0 && isMapping(valueAt(root, ['storages']));
  const required = valueAt(root, ['copies', 'required']);
  const tooMany = typeof required === 'number' && storages.length > 0 && required > storages.length;
  return [
    ...(none ? [{ path: ['storages'], message: 'names no storage; at least one is needed' }] : []),
    ...(tooMany
      ? [
          {
            path: ['copies', 'required'],
            message: `asks for ${required} copies, but there ${onlySoMany(storages.length)}`,
          },
        ]
      : []),
  ];
}

/** Two storages in one place would count as two copies and be one. Paths are compared as they are written: `a`, `./a/` and `b/../a` are one. */
function sharedPlaces(root: unknown): Complaint[] {
  const owners = new Map<string, string>();
  return entriesAt(root, ['storages']).flatMap(([name, storage]) => {
    const place = placeOf(storage);
    const owner = place === undefined ? undefined : owners.get(place);
    if (place !== undefined && owner === undefined) owners.set(place, name);
    if (owner === undefined) return [];
    return [
      { path: ['storages', name], message: `is the same place as the storage "${owner}": it would be no second copy` },
    ];
  });
}

function placeOf(storage: unknown): string | undefined {
  const text = (key: string) => {
    const value = valueAt(storage, [key]);
    return typeof value === 'string' ? value.replace(/\/+$/, '') : undefined;
  };
  const path = text('path');
  if (text('type') === 'local')
    return path === undefined ? undefined : normalize(`./${path}`.replace(/^\.\/(?=\/)/, ''));
  const bucket = text('bucket');
  if (text('type') !== 's3' || bucket === undefined) return undefined;
  return JSON.stringify([text('endpoint') ?? text('region'), bucket, text('prefix') ?? '']);
}

/** A source of any other is a problem by itself, and may be the database that seems to be missing. */
const TYPES: readonly unknown[] = ['postgres', 'files', 'config'];

function appChecks(root: unknown, app: Path, storages: readonly string[]): Complaint[] {
  const sources = entriesAt(root, [...app, 'sources']);
  const ofType = (type: string) =>
    sources.filter(([, source]) => valueAt(source, ['type']) === type).map(([name]) => name);
  const databases = ofType('postgres');
  const isTyped = sources.every(([, source]) => TYPES.includes(valueAt(source, ['type'])));
  const asking = [
    ...itemsAt(root, [...app, 'references']).map((_, at): Path => [...app, 'references', at]),
    ...itemsAt(root, [...app, 'proof', 'assertions']).map((_, at): Path => [...app, 'proof', 'assertions', at]),
    ...['migrations', 'tenants'].map((key): Path => [...app, key]),
  ].filter((path) => isMapping(valueAt(root, path)));
  return [
    ...(sources.length === 0 && isMapping(valueAt(root, [...app, 'sources']))
      ? [{ path: [...app, 'sources'], message: 'names no source; at least one is needed' }]
      : []),
    ...(isTyped ? asking.flatMap((path) => databaseChecks(root, path, databases)) : []),
    ...scheduleChecks(root, app, unknownName),
    ...databases.flatMap((name) => walChecks(root, [...app, 'sources', name, 'wal'], storages.length)),
    ...referenceChecks(
      root,
      app,
      sources.map(([name]) => name),
      ofType('files'),
    ),
    ...entriesAt(root, [...app, 'retentionByStorage']).flatMap(([name]) =>
      unknownName('storage', name, storages, [...app, 'retentionByStorage', name]),
    ),
  ];
}

function walChecks(root: unknown, path: Path, storages: number): Complaint[] {
  const asked = valueAt(root, [...path, 'acknowledge']);
  if (typeof asked !== 'number' || storages === 0 || asked <= storages) return [];
  const message = `asks for ${asked} storages, but there ${onlySoMany(storages)}`;
  return [{ path: [...path, 'acknowledge'], message }];
}

function onlySoMany(storages: number): string {
  return storages === 1 ? 'is only one' : `are only ${storages}`;
}

function databaseChecks(root: unknown, path: Path, databases: readonly string[]): Complaint[] {
  if (databases.length === 0) return [{ path, message: 'asks a database, but the app has no source of type postgres' }];
  const database = valueAt(root, [...path, 'database']);
  if (typeof database === 'string') return unknownName('postgres source', database, databases, [...path, 'database']);
  return database === undefined && databases.length > 1
    ? [{ path, message: `must say which database: database: ${databases.join(' or ')}` }]
    : [];
}

function referenceChecks(root: unknown, app: Path, sources: readonly string[], files: readonly string[]): Complaint[] {
  return itemsAt(root, [...app, 'references']).flatMap((reference, at) => {
    const path = [...app, 'references', at, 'source'];
    const source = valueAt(reference, ['source']);
    if (typeof source !== 'string') return [];
    if (sources.includes(source) && !files.includes(source))
      return [{ path, message: `"${source}" is not a source of type files` }];
    return unknownName('source', source, files, path);
  });
}

function unknownName(what: string, name: string, known: readonly string[], path: Path): Complaint[] {
  if (known.includes(name)) return [];
  const meant = nearest(name, known);
  const rest =
    meant !== undefined
      ? `did you mean "${meant}"?`
      : known.length > 0
        ? `there is: ${known.join(', ')}`
        : 'there is none';
  return [{ path, message: `there is no ${what} "${name}" (${rest})` }];
}

function isMapping(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
