/** From checked, resolved values to what the program works with: durations in ms, sizes in bytes, absolute paths. */
import { resolve } from 'node:path';
import { parseDuration } from '../base/durations.ts';
import { present } from '../base/given.ts';
import { parseQuota, parseSize } from '../base/sizes.ts';
import type { Resolved } from './resolve.ts';
import type { FileValues } from './schema/file.ts';
import { splitListen } from './schema/service.ts';
import { walDefaults } from './schema/wal.ts';
import type {
  AppSettings,
  ExchangeSettings,
  KeepSettings,
  PackingSettings,
  RetentionSettings,
  RunbookSettings,
  ServerSettings,
  SourceSettings,
  StorageSettings,
  WalSettings,
} from './settings.ts';

type Values = Resolved<FileValues>;
type AppValues = Values['apps'][string];

const bytes = (text: string | undefined) => (text === undefined ? undefined : parseSize(text)!);
const ms = (text: string | undefined) => (text === undefined ? undefined : parseDuration(text)!);

export function storageSettings(
  name: string,
  { capacity: _quota, ...values }: Values['storages'][string],
  directory: string,
): StorageSettings {
  const limits = { uploadLimit: bytes(values.uploadLimit), downloadLimit: bytes(values.downloadLimit) };
  if (values.type === 'local') return present({ ...values, ...limits, name, path: resolve(directory, values.path) });
  const endpoint = values.endpoint?.replace(/\/+$/, '');
  const prefix = (values.prefix ?? '').replace(/\/$/, '');
  return present({ ...values, ...limits, name, endpoint, prefix });
}

export function capacityBytes({ capacity }: { readonly capacity?: string | undefined }): number | undefined {
  return capacity === undefined ? undefined : parseQuota(capacity);
}

export function packingSettings({ packSize, compression }: Omit<Values['repository'], 'password'>): PackingSettings {
  return { packSize: parseSize(packSize)!, compression };
}

export function keepSettings(values: Values['catalog']['keep']): KeepSettings {
  const times = Object.entries(values).map(([name, text]) => [name, parseDuration(text)!]);
  return Object.fromEntries(times) as KeepSettings;
}

export function serverSettings(values: Values['server'], directory: string): ServerSettings {
  const { listen, url, sessions, approvals, tls, oidc, exchange: _files, ...rest } = values;
  return present({
    ...rest,
    ...splitListen(listen),
    url: url?.replace(/\/+$/, ''),
    sessions: { idle: parseDuration(sessions.idle)!, longest: parseDuration(sessions.longest)! },
    approvals: { within: parseDuration(approvals.within)! },
    tls: tls && { cert: resolve(directory, tls.cert), key: resolve(directory, tls.key) },
    oidc: oidc && { ...oidc, roles: { claim: oidc.roles.claim, map: rolesOfGroups(oidc.roles.map) } },
  });
}

export function exchangeSettings(values: Values['server']['exchange'], directory: string): ExchangeSettings {
  return {
    directory: resolve(directory, values.directory ?? '.holdfast/exchange'),
    maxUpload: parseSize(values.maxUpload)!,
    keep: parseDuration(values.keep)!,
  };
}

function rolesOfGroups(map: NonNullable<Values['server']['oidc']>['roles']['map']) {
  return Object.fromEntries(
    Object.entries(map).map(([group, given]) => [group, typeof given === 'string' ? { role: given } : given]),
  );
}

export function sourceSettings(
  name: string,
  values: AppValues['sources'][string],
  { app, directory }: { readonly app: string; readonly directory: string },
): SourceSettings {
  if (values.type === 'postgres') return { ...values, name, wal: walSettings(values.wal, `${app}.${name}`, directory) };
  if (values.type === 'files') return { ...values, name, path: resolve(directory, values.path) };
  return { ...values, name, base: resolve(directory, values.base) };
}

type WalValues = Extract<AppValues['sources'][string], { type: 'postgres' }>['wal'];

/** `place`: app and source, for the spool's directory where none is configured. */
function walSettings(written: WalValues, place: string, directory: string): WalSettings {
  const values = typeof written === 'string' ? { ...walDefaults, mode: written } : written;
  return present({
    ...values,
    spool: resolve(directory, values.spool ?? `.holdfast/wal/${place}`),
    spoolLimit: parseSize(values.spoolLimit)!,
    flushEvery: parseDuration(values.flushEvery)!,
    slotLimit: parseSize(values.slotLimit)!,
    foldAfter: parseDuration(values.foldAfter)!,
  });
}

function retention(rules: NonNullable<AppValues['retention']>): RetentionSettings {
  return present({ ...rules, within: ms(rules.within) });
}

function runbook({ steps, escalate }: NonNullable<AppValues['runbook']>): RunbookSettings {
  return present({ steps: steps.map((step) => present({ ...step, budget: parseDuration(step.budget)! })), escalate });
}

/** `databases` are the names of the app's postgres sources; the checks made sure that one is meant wherever one is needed. */
export function appSettings(
  name: string,
  values: Omit<AppValues, 'sources' | 'labels' | 'schedules'>,
  { directory, databases }: Pick<AppSettings, 'directory' | 'databases'>,
): AppSettings {
  const asking = <A extends { database?: string | undefined }>(asked: A) => ({
    ...asked,
    database: asked.database ?? databases[0]!.name,
  });
  const { application } = values;
  return present({
    name,
    directory,
    databases,
    objectives: present({ rpo: ms(values.objectives?.rpo), rto: ms(values.objectives?.rto) }),
    references: values.references.map(asking),
    migrations: values.migrations && asking(values.migrations),
    tenants: values.tenants && present(asking(values.tenants)),
    proof: { ...values.proof, assertions: values.proof.assertions.map(asking) },
    hooks: present(values.hooks),
    runbook: values.runbook && runbook(values.runbook),
    retention: values.retention && retention(values.retention),
    retentionByStorage: Object.fromEntries(
      Object.entries(values.retentionByStorage).map(([storage, rules]) => [storage, retention(rules)]),
    ),
    application: present({
      version: application.version,
      git: application.git === undefined ? undefined : resolve(directory, application.git),
    }),
  });
}
