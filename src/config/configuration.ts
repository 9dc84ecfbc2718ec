/**
 * The configuration: found, read, checked as a whole. Secrets are fetched only for the part that is asked for: a restore from one
 * storage needs neither the other storages' keys nor the database's URL.
 */
import { dirname, resolve } from 'node:path';
import type { output, ZodType } from 'zod';
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { nearest } from '../base/suggest.ts';
import {
  type AlertPolicy,
  alertPolicy,
  type ChannelSettings,
  channelSettings,
  type DeadManSettings,
  deadManSettings,
} from './alert-settings.ts';
import { type CheckedFile, checkFile } from './check-file.ts';
import { locateFile, type Where } from './locate.ts';
import type { Path, Remark } from './problem.ts';
import { type Resolved, resolveValues } from './resolve.ts';
import {
  type AppPlan,
  scheduleSettings,
  type VerificationSettings,
  verificationSettings,
} from './schedule-settings.ts';
import { alerts as alertsSchema, channel as channelSchema, deadMan as deadManSchema } from './schema/alerts.ts';
import { app as appSchema } from './schema/app.ts';
import { exchange as exchangeSchema } from './schema/exchange.ts';
import { file as fileSchema } from './schema/file.ts';
import { keep as keepSchema } from './schema/keep.ts';
import { source as sourceSchema } from './schema/source.ts';
import { capacity as capacitySchema, storage as storageSchema } from './schema/storage.ts';
import { wal as walSchema } from './schema/wal.ts';
import type { SecretWorld } from './secrets.ts';
import type {
  AppSettings,
  CatalogSettings,
  ExchangeSettings,
  KeepSettings,
  PackingSettings,
  PostgresSettings,
  ServerSettings,
  SourceSettings,
  SourceType,
  StorageSettings,
  WorkerSettings,
} from './settings.ts';
import {
  appSettings,
  capacityBytes,
  exchangeSettings,
  keepSettings,
  packingSettings,
  serverSettings,
  sourceSettings,
  storageSettings,
} from './to-settings.ts';

export interface LoadOptions extends Where {
  /** Hears of secrets that others can read. */
  readonly onWarning?: (message: string, hint: string) => void;
  readonly signal?: AbortSignal;
}

/** Throws `config_missing`, or `config_invalid` whose `details.problems` lists every mistake with its line. */
export async function loadConfiguration(options: LoadOptions): Promise<Configuration> {
  const located = await locateFile(options);
  const { env, onWarning, signal } = options;
  return new Configuration(checkFile(located), { env, directory: dirname(located.file), onWarning, signal });
}

const DEFAULT_CATALOG = '.holdfast/catalog.sqlite';

export class Configuration {
  /** Absolute path of the file. */
  readonly file: string;
  /** The directory of the file, as it was named: relative paths in it count from here, also where the file is a link to one elsewhere. */
  readonly directory: string;
  /** What is allowed but should be known, in the order of the file. */
  readonly remarks: readonly Remark[];
  /** In the order of the file. */
  readonly storageNames: readonly string[];
  readonly appNames: readonly string[];
  /** The checked content, for showing it. */
  readonly checked: CheckedFile;
  readonly #world: SecretWorld;

  constructor(checked: CheckedFile, world: SecretWorld) {
    this.checked = checked;
    this.file = checked.file;
    this.directory = world.directory;
    this.remarks = checked.remarks;
    this.storageNames = Object.keys(checked.values.storages);
    this.appNames = Object.keys(checked.values.apps);
    this.#world = world;
  }

  /** The app that is meant: the one asked for, or the only one. Throws `app_unknown`. */
  appName(asked?: string): string {
    if (asked !== undefined) {
      if (this.appNames.includes(asked)) return asked;
      throw unknown('app_unknown', 'app', asked, this.appNames);
    }
    if (this.appNames.length === 1) return this.appNames[0]!;
    const several = this.appNames.length > 1;
    throw new Failure('app_unknown', several ? 'Which app is meant?' : `${this.file} names no apps.`, {
      hint: several ? `Say it with --app: ${this.appNames.join(', ')}.` : 'Add one under "apps".',
    });
  }

  /** Names and types of an app's sources, in the order of the file. */
  sourceTypes(app: string): readonly { readonly name: string; readonly type: SourceType }[] {
    const { sources } = this.checked.values.apps[this.appName(app)]!;
    return Object.entries(sources).map(([name, { type }]) => ({ name, type }));
  }

  /** The repository's password. Throws `secret_unavailable`. */
  async password(): Promise<string> {
    const { password } = fileSchema.shape.repository.shape;
    return (await this.#resolve(password, this.checked.values.repository.password, [
      'repository',
      'password',
    ])) as string;
  }

  async packing(): Promise<PackingSettings> {
    const { password: _password, ...rest } = this.checked.values.repository;
    const schema = fileSchema.shape.repository.omit({ password: true });
    return packingSettings(await this.#resolve(schema, rest, ['repository']));
  }

  /** Where server programs of PostgreSQL are looked for first, and the account that runs them; absolute paths. */
  async postgres(): Promise<PostgresSettings> {
    const { postgres } = this.checked.values;
    const { programs, account } = await this.#resolve(fileSchema.shape.postgres, postgres, ['postgres']);
    const directories = programs.map((directory) => resolve(this.directory, directory));
    return { programs: directories, ...(account === undefined ? {} : { account }) };
  }

  /** Where the service keeps its records. */
  async catalog(): Promise<CatalogSettings> {
    const { path, url } = await this.#resolve(fileSchema.shape.catalog, this.checked.values.catalog, ['catalog']);
    return url === undefined ? { path: resolve(this.directory, path ?? DEFAULT_CATALOG) } : { url };
  }

  /** How long the service keeps what is in there; nothing secret is fetched. */
  async keep(): Promise<KeepSettings> {
    const { keep } = this.checked.values.catalog;
    return keepSettings(await this.#resolve(keepSchema, keep, ['catalog', 'keep']));
  }

  async server(): Promise<ServerSettings> {
    const values = await this.#resolve(fileSchema.shape.server, this.checked.values.server, ['server']);
    return serverSettings(values, this.directory);
  }

  /** Files that the server takes in and gives out; nothing secret is fetched. */
  async exchange(): Promise<ExchangeSettings> {
    const { exchange } = this.checked.values.server;
    return exchangeSettings(await this.#resolve(exchangeSchema, exchange, ['server', 'exchange']), this.directory);
  }

  async worker(): Promise<WorkerSettings> {
    const { name, ...rest } = await this.#resolve(fileSchema.shape.worker, this.checked.values.worker, ['worker']);
    return { ...rest, ...given('name', name) };
  }

  /** When the work of an app starts, and what a worker needs for it. Throws `app_unknown`, `secret_unavailable`. */
  async plan(app: string): Promise<AppPlan> {
    const { labels, schedules } = this.checked.values.apps[this.appName(app)]!;
    const schema = appSchema.pick({ labels: true, schedules: true });
    const values = await this.#resolve(schema, { labels, schedules }, ['apps', app]);
    return { app, labels: values.labels, schedules: scheduleSettings(values.schedules) };
  }

  /** How what is stored is read again and again. */
  async verification(): Promise<VerificationSettings> {
    const { verification } = this.checked.values;
    return verificationSettings(await this.#resolve(fileSchema.shape.verification, verification, ['verification']));
  }

  /** What is looked for and who is told; nothing secret is fetched. */
  async alerts(): Promise<AlertPolicy> {
    const { channels, deadMan, ...rest } = this.checked.values.alerts;
    const schema = alertsSchema.omit({ channels: true, deadMan: true });
    return alertPolicy(await this.#resolve(schema, rest, ['alerts']), { channels, deadMan });
  }

  /** How one channel reaches people. Throws `channel_unknown`, `secret_unavailable`. */
  async channel(name: string): Promise<ChannelSettings> {
    const { channels } = this.checked.values.alerts;
    const values = Object.hasOwn(channels, name) ? channels[name] : undefined;
    if (values === undefined) throw unknown('channel_unknown', 'channel', name, Object.keys(channels));
    const resolved = await this.#resolve(channelSchema, values, ['alerts', 'channels', name]);
    return channelSettings(resolved, this.directory);
  }

  /** Who outside is told that alerts are being watched; undefined: nobody. Throws `secret_unavailable`. */
  async deadMan(): Promise<DeadManSettings | undefined> {
    const { deadMan } = this.checked.values.alerts;
    if (deadMan === undefined) return undefined;
    const resolved = await this.#resolve(deadManSchema, deadMan, ['alerts', 'deadMan']);
    return deadManSettings(resolved);
  }

  /** How many storages must hold all of a backup for it to be complete. */
  async requiredCopies(): Promise<number> {
    const { required } = await this.#resolve(fileSchema.shape.copies, this.checked.values.copies, ['copies']);
    if (required === undefined) return this.storageNames.length;
    if (required <= this.storageNames.length) return required;
    throw new Failure(
      'config_invalid',
      `copies.required asks for ${required} copies of ${this.storageNames.length} storages.`,
    );
  }

  /** Throws `storage_unknown`, `secret_unavailable`. */
  async storage(name: string): Promise<StorageSettings> {
    const values = this.checked.values.storages[name];
    if (values === undefined) throw unknown('storage_unknown', 'storage', name, this.storageNames);
    return storageSettings(name, await this.#resolve(storageSchema, values, ['storages', name]), this.directory);
  }

  /** Bytes that its owner pays for, where the configuration says so. */
  async capacity(storage: string): Promise<number | undefined> {
    const { capacity } = this.checked.values.storages[storage] ?? {};
    const values = await this.#resolve(capacitySchema, { capacity }, ['storages', storage]);
    return capacityBytes(values);
  }

  /** All of an app but its sources. Throws `app_unknown`, `secret_unavailable`. */
  async app(name: string): Promise<AppSettings> {
    const { sources, labels: _labels, schedules: _schedules, ...rest } = this.checked.values.apps[this.appName(name)]!;
    const schema = appSchema.omit({ sources: true, labels: true, schedules: true });
    const values = await this.#resolve(schema, rest, ['apps', name]);
    const databases: AppSettings['databases'][number][] = [];
    for (const [source, content] of Object.entries(sources)) {
      if (content.type !== 'postgres') continue;
      const wal = await this.#resolve(walSchema, content.wal, ['apps', name, 'sources', source, 'wal']);
      databases.push({ name: source, archived: (typeof wal === 'string' ? wal : wal.mode) !== 'off' });
    }
    return appSettings(name, values, { directory: this.directory, databases });
  }

  /** One source of an app. Throws `app_unknown`, `source_unknown`, `secret_unavailable`. */
  async source(app: string, name: string): Promise<SourceSettings> {
    const { sources } = this.checked.values.apps[this.appName(app)]!;
    const values = sources[name];
    if (values === undefined) throw unknown('source_unknown', 'source', name, Object.keys(sources));
    return sourceSettings(name, await this.#resolve(sourceSchema, values, ['apps', app, 'sources', name]), {
      app,
      directory: this.directory,
    });
  }

  #resolve<S extends ZodType>(schema: S, value: output<S>, path: Path): Promise<Resolved<output<S>>> {
    return resolveValues(schema, value, path, this.#world);
  }
}

function unknown(
  code: 'app_unknown' | 'storage_unknown' | 'source_unknown' | 'channel_unknown',
  what: string,
  name: string,
  known: readonly string[],
): Failure {
  const meant = nearest(name, known);
  const hint = meant === undefined ? `There is: ${known.join(', ')}.` : `Did you mean "${meant}"?`;
  return new Failure(code, `The configuration names no ${what} "${name}".`, known.length === 0 ? {} : { hint });
}
