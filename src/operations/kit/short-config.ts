/** The shortest configuration with which this program restores: one storage, the password, and the names of the apps. */
import type { StorageSettings } from '../../config/settings.ts';

/** A storage's value on one line of YAML, with what is needed to read from it. What restic takes from the environment comes from there, too. */
export function settingsLine(storage: StorageSettings): string {
  if (storage.type === 'local') return `{ type: local, path: ${quoted(storage.path)} }`;
  const { endpoint, bucket, prefix, region, pathStyle } = storage;
  const parts = [
    'type: s3',
    ...(endpoint === undefined ? [] : [`endpoint: ${quoted(endpoint)}`]),
    `bucket: ${quoted(bucket)}`,
    ...(prefix === '' ? [] : [`prefix: ${quoted(prefix)}`]),
    `region: ${quoted(region)}`,
    ...(pathStyle === undefined ? [] : [`pathStyle: ${pathStyle}`]),
    'accessKeyId: { env: AWS_ACCESS_KEY_ID }',
    'secretAccessKey: { env: AWS_SECRET_ACCESS_KEY }',
  ];
  return `{ ${parts.join(', ')} }`;
}

/**
 * The lines of the file. Sources are in the backup: the one that stands here only fills a place that must not be empty, and nothing is read from it.
 *
 * @param target an existing or future directory that is not of the app
 */
export function shortConfig(
  storage: { readonly name: string; readonly settings: string },
  { apps, passwordFile, target }: { apps: readonly string[]; passwordFile: string; target: string },
): string[] {
  return [
    'version: 1',
    `repository: { password: { file: ${quoted(passwordFile)} } }`,
    'storages:',
    `  ${quoted(storage.name)}: ${storage.settings}`,
    'apps:',
    ...apps.map((app) => `  ${quoted(app)}: { sources: { files: { type: files, path: ${quoted(target)} } } }`),
  ];
}

/** A value of a YAML flow: JSON is one. */
function quoted(value: string): string {
  return /^[A-Za-z_/][A-Za-z0-9_/.@+-]*$/.test(value) ? value : JSON.stringify(value);
}
