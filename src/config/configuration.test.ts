import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import * as z from 'zod';
import { isFailure } from '../base/failure.ts';
import { loadConfiguration } from './configuration.ts';
import { effectiveValues } from './effective.ts';
import { configurationJsonSchema } from './json-schema.ts';

/** The example of the interface page, every key of it. */
const EXAMPLE = `version: 1
repository:
  password: { file: ./secrets/repository-password }
storages:
  local: { type: local, path: /var/backups/clinic }
  r2:    { type: s3, endpoint: "https://ACCOUNT.r2.example", bucket: clinic-backups, prefix: prod, region: auto,
           accessKeyId: { env: R2_KEY_ID }, secretAccessKey: { env: R2_SECRET } }
  b2:    { type: s3, endpoint: "https://s3.us-east-005.example", bucket: clinic-offsite, region: us-east-005, pathStyle: false,
           accessKeyId: { env: B2_KEY_ID }, secretAccessKey: { env: B2_SECRET }, objectLock: { days: 30 } }
copies: { required: 2 }            # a backup is complete once this many storages hold all of it; default: all
apps:
  clinic:
    objectives: { rpo: 5m, rto: 1h }
    sources:
      database: { type: postgres, url: { env: DATABASE_URL }, wal: stream }
      media:    { type: files, path: /srv/clinic/media, exclude: ["cache/**", "*.tmp"] }
      settings: { type: config, paths: [compose.yaml, .env.example, /etc/postgresql/15/main/postgresql.conf] }
    references:                    # rows that name files: checked against the files of the same point
      - { query: "select file from encounters_clinicalmedia", source: media }
    migrations: { query: "select app || '.' || name from django_migrations order by id" }
    tenants: { table: public.tenants, key: id, name: slug }
    hooks: { beforeRestore: [docker, compose, stop, web, worker], afterRestore: [docker, compose, start, web, worker] }
    schedules:
      - { run: backup, cron: "0 2 * * *", timezone: Europe/Madrid }
      - { run: prove,  cron: "0 3 1 * *" }
    retention: { daily: 7, weekly: 4, monthly: 12 }
    retentionByStorage: { local: { within: 30d }, r2: { within: 365d } }
`;

const DAY = 86_400_000;
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-config-'));
  await mkdir(join(directory, 'secrets'));
  await writeFile(join(directory, 'secrets/repository-password'), 'correct horse\n', { mode: 0o600 });
  await writeFile(join(directory, 'holdfast.yaml'), EXAMPLE);
});
after(() => rm(directory, { recursive: true }));

const load = (env: Record<string, string> = {}) => loadConfiguration({ cwd: directory, env });

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(directory, name), text);
  return join(directory, name);
}

test('every key of the documented example is read', async () => {
  const config = await load({ R2_KEY_ID: 'id', R2_SECRET: 'key' });
  assert.deepEqual(config.storageNames, ['local', 'r2', 'b2']);
  assert.equal(config.appName(), 'clinic');
  assert.equal(await config.password(), 'correct horse');
  assert.equal(await config.requiredCopies(), 2);
  assert.deepEqual(await config.packing(), { packSize: 16 * 1024 ** 2, compression: 'auto' });
  assert.deepEqual(await config.storage('r2'), {
    ...{ type: 's3', name: 'r2', endpoint: 'https://ACCOUNT.r2.example', bucket: 'clinic-backups', prefix: 'prod' },
    ...{ region: 'auto', accessKeyId: 'id', secretAccessKey: 'key', connections: 8 },
  });
  const app = await config.app('clinic');
  assert.deepEqual(app.objectives, { rpo: 300_000, rto: 3_600_000 });
  assert.deepEqual(app.retention, { daily: 7, weekly: 4, monthly: 12 });
  assert.deepEqual(app.retentionByStorage, { local: { within: 30 * DAY }, r2: { within: 365 * DAY } });
  assert.deepEqual(app.references, [
    { query: 'select file from encounters_clinicalmedia', source: 'media', database: 'database' },
  ]);
  assert.deepEqual(app.hooks.beforeRestore, ['docker', 'compose', 'stop', 'web', 'worker']);
});

test('a secret is fetched only for the part that needs it', async () => {
  const config = await load();
  assert.equal((await config.storage('local')).type, 'local');
  assert.equal((await config.source('clinic', 'media')).type, 'files');
  await assert.rejects(config.storage('b2'), (error) => isFailure(error, 'secret_unavailable'));
  await assert.rejects(
    config.source('clinic', 'database'),
    /apps\.clinic\.sources\.database\.url: env DATABASE_URL is not set/,
  );
});

test('any value can be a reference; what it brings is checked like what is written', async () => {
  const path = await write(
    'references.yaml',
    `version: 1
repository: { password: { command: [/bin/echo, pw] }, compression: { env: LEVEL } }
storages: { a: { type: local, path: { env: WHERE }, connections: { env: MANY } }, b: { type: local, path: b } }
copies: { required: { env: COPIES } }
`,
  );
  const withEnv = (env: Record<string, string>) => loadConfiguration({ path, cwd: '/', env });
  const config = await withEnv({ WHERE: 'below', MANY: '3', LEVEL: '9', COPIES: '1' });
  assert.equal(await config.password(), 'pw');
  assert.deepEqual(await config.storage('a'), {
    type: 'local',
    name: 'a',
    path: join(directory, 'below'),
    connections: 3,
  });
  assert.equal((await config.packing()).compression, 9);
  assert.equal(await config.requiredCopies(), 1);
  const wrong = await withEnv({ WHERE: 'x', MANY: 'sekret', LEVEL: '99', COPIES: '3' });
  await assert.rejects(wrong.storage('a'), {
    code: 'config_invalid',
    message: 'storages.a.connections (from env MANY) must be a whole number.',
  });
  await assert.rejects(wrong.packing(), /repository\.compression \(from env LEVEL\)/);
  await assert.rejects(wrong.requiredCopies(), /3 copies of 2 storages/);
});

test('relative paths count from the directory of the file', async () => {
  const path = await write(
    'relative.yaml',
    `version: 1
repository: { password: x }
storages: { a: { type: local, path: ../backups } }
apps: { shop: { sources: { m: { type: files, path: media }, c: { type: config, paths: [a.conf] } }, application: { git: . } } }
`,
  );
  const config = await loadConfiguration({ path, cwd: '/', env: {} });
  const storage = await config.storage('a');
  assert.equal(storage.type === 'local' && storage.path, join(directory, '../backups'));
  assert.partialDeepStrictEqual(await config.source('shop', 'm'), { path: join(directory, 'media') });
  assert.partialDeepStrictEqual(await config.source('shop', 'c'), { paths: ['a.conf'], base: directory });
  assert.equal((await config.app('shop')).application.git, directory);
});

test('behind a link they count from the directory of the link, by whose name the file was asked for', async () => {
  const path = await write(
    'linked.yaml',
    'version: 1\nrepository: { password: x }\nstorages: { a: { type: local, path: backups } }\n',
  );
  const elsewhere = join(directory, 'elsewhere');
  await mkdir(elsewhere);
  await symlink(path, join(elsewhere, 'holdfast.yaml'));
  const storage = await (await loadConfiguration({ cwd: elsewhere, env: {} })).storage('a');
  assert.equal(storage.type === 'local' && storage.path, join(elsewhere, 'backups'));
});

test('names that are not there are answered with those that are', async () => {
  const config = await load();
  assert.throws(() => config.appName('clinc'), { code: 'app_unknown', hint: 'Did you mean "clinic"?' });
  await assert.rejects(config.storage('zzz'), { code: 'storage_unknown', hint: 'There is: local, r2, b2.' });
  await assert.rejects(config.source('clinic', 'medai'), { code: 'source_unknown', hint: 'Did you mean "media"?' });
});

test('the file is looked for in the documented order', async () => {
  const other = await write('other.yaml', EXAMPLE);
  const env = { HOLDFAST_CONFIG: other };
  const here = join(directory, 'holdfast.yaml');
  assert.equal((await loadConfiguration({ path: 'holdfast.yaml', cwd: directory, env })).file, here);
  assert.equal((await loadConfiguration({ cwd: directory, env })).file, other);
  assert.equal((await loadConfiguration({ cwd: directory, env: {} })).file, here);
  await assert.rejects(loadConfiguration({ cwd: '/', env: { HOLDFAST_CONFIG: '/no/such' } }), {
    code: 'config_missing',
  });
});

test('a file that is a directory, a device or not text is refused', async () => {
  const latin = join(directory, 'latin.yaml');
  await writeFile(latin, Buffer.from([0x76, 0xe9, 0x3a]));
  const outcomes = { [directory]: 'config_missing', '/dev/null': 'config_missing', [latin]: 'config_invalid' };
  for (const [path, code] of Object.entries(outcomes))
    await assert.rejects(loadConfiguration({ path, cwd: '/', env: {} }), { code });
});

test('effective values say where each came from and hold no secret', async () => {
  const text = EXAMPLE.replace('{ env: DATABASE_URL }', '"postgres://app:hunter2@db/clinic?sslpassword=hunter2"')
    .replace('{ env: R2_SECRET }', 'hunter2')
    .replace('[docker, compose, stop, web, worker]', '[stop, --db-password=hunter2, "x://u:hunter2@a b/"]');
  const config = await loadConfiguration({
    path: await write('shown.yaml', text),
    cwd: '/',
    env: { B2_SECRET: 'hunter2' },
  });
  const values = effectiveValues(config.checked);
  const origin = (path: string) => values.find((value) => value.path === path)?.origin;
  assert.equal(origin('storages.local.path'), 'file line 5');
  assert.equal(origin('repository.packSize'), 'default');
  assert.equal(origin('storages.b2.secretAccessKey'), 'env B2_SECRET (file line 9)');
  assert.ok(!JSON.stringify(values).includes('hunter2'), JSON.stringify(values));
  assert.match(JSON.stringify(values), /app:\*+@db\/clinic/);
});

test('the JSON Schema accepts the documented example and refuses what the program refuses', () => {
  const schema = z.fromJSONSchema(configurationJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);
  const accepts = (text: string) => schema.safeParse(parse(text)).success;
  assert.ok(accepts(EXAMPLE), JSON.stringify(schema.safeParse(parse(EXAMPLE)).error?.issues));
  assert.ok(!accepts(EXAMPLE.replace('version: 1', 'version: 2')));
  assert.ok(!accepts(EXAMPLE.replace('type: files', 'type: filez')));
  assert.ok(!accepts(EXAMPLE.replace('exclude:', 'exlude:')));
});

test('every key of the JSON Schema that a person writes has a description', () => {
  const bare: string[] = [];
  const walk = (schema: Record<string, unknown>, path: string) => {
    for (const [key, value] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
      if (value.description === undefined && value.const === undefined) bare.push(`${path}.${key}`);
      walk(value, `${path}.${key}`);
    }
    for (const part of [schema.additionalProperties, schema.items, ...((schema.oneOf as unknown[]) ?? [])]) {
      if (part !== null && typeof part === 'object') walk(part as Record<string, unknown>, path);
    }
  };
  walk(configurationJsonSchema(), '');
  assert.deepEqual(bare, []);
});

test('the service: defaults, and a catalog on PostgreSQL', async () => {
  const plain = await load();
  assert.deepEqual(await plain.catalog(), { path: join(directory, '.holdfast/catalog.sqlite') });
  const access = {
    sessions: { idle: 12 * 3_600_000, longest: 30 * 86_400_000 },
    ...{ secondPerson: [], approvals: { within: 86_400_000 }, trustedProxies: [] },
  };
  assert.deepEqual(await plain.server(), { host: '127.0.0.1', port: 8420, ...access });
  assert.deepEqual(await plain.worker(), { labels: {}, concurrency: 2 });
  assert.equal((await plain.keep()).alerts, 365 * 86_400_000);
  const keys =
    'catalog: { url: { env: CATALOG } }\nserver: { listen: "[::1]:0", url: https://b.example/ }\nworker: { labels: { site: north } }\n';
  const config = await loadConfiguration({
    ...{ cwd: directory, path: await write('service.yaml', EXAMPLE + keys), env: { CATALOG: 'postgres://h/c' } },
  });
  assert.deepEqual(await config.catalog(), { url: 'postgres://h/c' });
  assert.deepEqual(await config.server(), { host: '::1', port: 0, url: 'https://b.example', ...access });
  assert.deepEqual((await config.worker()).labels, { site: 'north' });
});

test('the service: who may come in', async () => {
  const keys =
    'server: { sessions: { idle: 1h }, secondPerson: [restore], trustedProxies: [10.0.0.0/8], tls: { cert: c.pem, key: /k.pem },' +
    ' oidc: { issuer: https://id.example, clientId: b, clientSecret: { env: SECRET }, roles: { map: { ops: operator, dev: { role: viewer, apps: [x] } } } } }';
  const path = await write('access.yaml', `${EXAMPLE}${keys}\n`);
  const settings = await (await loadConfiguration({ cwd: directory, path, env: { SECRET: 's' } })).server();
  assert.deepEqual(settings.sessions, { idle: 3_600_000, longest: 30 * 86_400_000 });
  assert.deepEqual(settings.tls, { cert: join(directory, 'c.pem'), key: '/k.pem' });
  assert.equal(settings.oidc?.clientSecret, 's');
  assert.deepEqual(settings.oidc?.roles, {
    claim: 'groups',
    map: { ops: { role: 'operator' }, dev: { role: 'viewer', apps: ['x'] } },
  });
});
