/** What the recovery kit says, gathered from the configuration and the repository. */
import { resolve } from 'node:path';
import { isFailure } from '../../base/failure.ts';
import type { Configuration } from '../../config/configuration.ts';
import { effectiveValues } from '../../config/effective.ts';
import type { StorageSettings } from '../../config/settings.ts';
import type { Manifest } from '../../recovery/manifest.ts';
import { readManifest } from '../../recovery/read-manifest.ts';
import { listSnapshots, type StoredSnapshot } from '../../repository/snapshots.ts';
import { pointsOf } from '../points.ts';
import type { Session } from '../session.ts';
import type { KitApp, KitInput, KitSource, KitStorage } from './input.ts';
import { settingsLine } from './short-config.ts';

export interface CollectKit {
  readonly config: Configuration;
  readonly programVersion: string;
  /** Put the password itself on the page. */
  readonly withPassword: boolean;
}

export async function collectKit(
  session: Session,
  { config, programVersion, withPassword }: CollectKit,
): Promise<KitInput> {
  const origins = new Map(effectiveValues(config.checked).map(({ path, origin }) => [path, whereKept(origin, config)]));
  const { repository } = session;
  const keys = await repository.presence('keys');
  const storages = await Promise.all(config.storageNames.map((name) => kitStorage(config, name, origins)));
  return {
    madeAt: new Date(session.clock.now()).toISOString(),
    programVersion,
    repositoryId: repository.config.id,
    keys: [...keys.keys()].map((key) => key.slice(0, 8)),
    passwordKept: origins.get('repository.password') ?? 'the configuration',
    ...(withPassword ? { password: await config.password() } : {}),
    configFile: config.file,
    storages,
    apps: await collectApps(config, session),
  };
}

/** `file /etc/x/secrets/password`, `env NAME`, or the line of the configuration: for somebody who reads it far away from that machine. */
function whereKept(origin: string, { directory, file }: Configuration): string {
  const [, line] = /^file line (\d+)$/.exec(origin) ?? [];
  if (line !== undefined) return `${file}, line ${line}`;
  const kept = origin.replace(/ \(file line \d+\)$/, '');
  return kept.startsWith('file ') ? `file ${resolve(directory, kept.slice('file '.length))}` : kept;
}

/** A storage whose secret is not at hand is on the kit all the same, by name. */
async function kitStorage(
  config: Configuration,
  name: string,
  origins: ReadonlyMap<string, string>,
): Promise<KitStorage> {
  try {
    return describeStorage(await config.storage(name), origins);
  } catch (error) {
    if (!isFailure(error, 'secret_unavailable')) throw error;
    const location = `see storage "${name}" in ${config.file}`;
    return { name, type: 's3', location, restic: `s3:…/${name}`, settings: '{ type: s3, … }' };
  }
}

function describeStorage(storage: StorageSettings, origins: ReadonlyMap<string, string>): KitStorage {
  const { name } = storage;
  const settings = settingsLine(storage);
  if (storage.type === 'local') return { name, type: 'local', location: storage.path, restic: storage.path, settings };
  const endpoint = storage.endpoint ?? `https://s3.${storage.region}.amazonaws.com`;
  const place = [endpoint.replace(/\/$/, ''), storage.bucket, storage.prefix].filter((part) => part !== '').join('/');
  const keyId = origins.get(`storages.${name}.accessKeyId`) ?? '';
  const secret = origins.get(`storages.${name}.secretAccessKey`) ?? '';
  return {
    name,
    type: 's3',
    location: `S3 ${place} (region ${storage.region})`,
    restic: `s3:${place}`,
    settings,
    credentials: `access key id: ${keyId}; secret: ${secret}`,
  };
}

async function collectApps(config: Configuration, session: Session): Promise<KitApp[]> {
  const list = await listSnapshots(session.repository);
  const newest = new Map(config.appNames.map((app) => [app, pointsOf(list, app).at(-1)]));
  const manifests = await readManifests(session, newest);
  return Promise.all(
    config.appNames.map(async (name) => {
      const point = newest.get(name);
      const sources = await Promise.all(
        config.sourceTypes(name).map(async (source): Promise<KitSource> => {
          const record = manifests.get(name)?.sources[source.name];
          return { ...source, wal: isArchived(config, name, source.name), ...recorded(record) };
        }),
      );
      return { name, sources, ...(point === undefined ? {} : { newestPoint: point.snapshot.time }) };
    }),
  );
}

/** What the newest point tells of a source. */
function recorded(record: Manifest['sources'][string] | undefined): Partial<KitSource> {
  if (record?.type === 'files') return record.path === undefined ? {} : { path: record.path };
  if (record?.type !== 'postgres') return {};
  return { major: Math.floor(record.facts.versionNum / 10_000), database: record.facts.database.name };
}

/** As the file says it; nothing secret is fetched for that. */
function isArchived({ checked }: Configuration, app: string, source: string): boolean {
  const settings = checked.values.apps[app]?.sources[source];
  if (settings?.type !== 'postgres') return false;
  const { wal } = settings;
  return typeof wal === 'string' ? wal !== 'off' : !('mode' in wal) || wal.mode !== 'off';
}

/** A manifest that cannot be read costs the kit a version number, nothing more. */
async function readManifests(
  { repository }: Session,
  points: ReadonlyMap<string, StoredSnapshot | undefined>,
): Promise<Map<string, Manifest>> {
  const manifests = new Map<string, Manifest>();
  if (![...points.values()].some((point) => point !== undefined)) return manifests;
  const indexed = await repository.loadIndex();
  for (const [app, point] of points) {
    if (point === undefined) continue;
    const manifest = await readManifest(indexed, point, app).catch(() => undefined);
    if (manifest !== undefined) manifests.set(app, manifest);
  }
  return manifests;
}
