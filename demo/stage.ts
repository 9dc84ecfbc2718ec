/** Where the demonstration plays: one directory with the clinic, its backups and the configuration, and its removal. */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { serverAccount } from '../src/postgres/account.ts';
import { freePort } from '../src/postgres/free-port.ts';
import { stopServer } from './server.ts';

export const STORAGES = ['local', 'nas', 'offsite'] as const;
export type StorageName = (typeof STORAGES)[number];

/** Where things are: true paths, without links, which the database server's account can follow. */
export interface Stage {
  readonly config: string;
  readonly media: string;
  readonly database: string;
  readonly restored: string;
  readonly databaseUrl: string;
  /** What the WAL stream says. */
  readonly walLog: string;
  /** What takes the rows out again that were brought back. */
  readonly undo: string;
  /** What the service and its worker say. */
  readonly serviceLog: string;
  /** A token for the service. */
  readonly token: string;
  /** On 127.0.0.1: where the service answers, where mail is received. */
  readonly ports: { readonly server: number; readonly mail: number };
  /** The page of the last proof. */
  readonly report: string;
  storage(name: StorageName): string;
}

/** By this file a directory is known as ours; only such a one is ever removed. */
const MARKER = '.holdfast-demo';

function stageAt(root: string, ports = { server: 0, mail: 0 }): Stage {
  return {
    config: join(root, 'holdfast.yaml'),
    media: join(root, 'clinic', 'media'),
    database: join(root, 'clinic', 'database'),
    restored: join(root, 'restored'),
    databaseUrl: join(root, 'secrets', 'database-url'),
    walLog: join(root, 'wal-stream.log'),
    serviceLog: join(root, 'service.log'),
    token: join(root, 'secrets', 'token'),
    ports,
    undo: join(root, 'undo.sql'),
    report: join(root, 'proof.html'),
    storage: (name) => join(root, 'storages', name),
  };
}

/**
 * Makes the directory with secrets and configuration. When the database server's account cannot get there (a checkout in /root, run as
 * root), the directory is a link to one below the directory for temporary files.
 */
export async function setStage(root: string): Promise<Stage> {
  if (existsSync(root)) throw new Error(`${root} exists and is not from an earlier demonstration; it is left alone.`);
  if (isOpenTo(dirname(root))) {
    await mkdir(root);
  } else {
    const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
    await symlink(elsewhere, root);
  }
  await chmod(root, 0o755);
  const ports = { server: await freePort(), mail: await freePort() };
  const stage = stageAt(await realpath(root), ports);
  await writeFile(join(root, MARKER), 'Made by `npm run demo`; removed by `npm run demo -- --clean`.\n');
  await mkdir(join(root, 'secrets'), { mode: 0o700 });
  await mkdir(dirname(stage.media), { recursive: true });
  await writeFile(join(root, 'secrets', 'repository-password'), randomBytes(24).toString('base64url'), { mode: 0o600 });
  await writeFile(stage.config, configuration(ports), { mode: 0o600 });
  return stage;
}

/** Ends the servers and removes everything. Returns false when there was nothing; throws on a directory that is not ours. */
export async function clearStage(root: string): Promise<boolean> {
  if (lstatSync(root, { throwIfNoEntry: false }) === undefined) return false;
  if (!existsSync(join(root, MARKER))) throw new Error(`${root} is not from the demonstration; it is left alone.`);
  const place = await realpath(root);
  for (const dataDir of dataDirectories(place)) await stopServer(dataDir);
  await rm(place, { recursive: true, force: true });
  await rm(root, { recursive: true, force: true });
  return true;
}

function dataDirectories(root: string): string[] {
  const { database, restored } = stageAt(root);
  const candidates = [database, join(restored, 'database')];
  return candidates.filter((directory) => existsSync(directory) && readdirSync(directory).includes('PG_VERSION'));
}

/** Whether the account that servers run as may pass through `directory` and everything above it. */
function isOpenTo(directory: string): boolean {
  if (serverAccount() === undefined) return true;
  for (let at = directory; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function configuration({ server, mail }: Stage['ports']): string {
  const values = {
    version: 1,
    repository: { password: { file: './secrets/repository-password' } },
    storages: Object.fromEntries(STORAGES.map((name) => [name, { type: 'local', path: `./storages/${name}` }])),
    copies: { required: 3 },
    catalog: { path: './catalog.sqlite' },
    server: { listen: `127.0.0.1:${server}` },
    alerts: {
      channels: {
        mail: {
          ...{ type: 'email', host: '127.0.0.1', port: mail, security: 'none' },
          ...{ from: 'Holdfast <holdfast@clinic.example>', to: ['oncall@clinic.example'] },
        },
      },
      routes: [{ rules: ['backup_failure'], channels: ['mail'] }],
    },
    apps: {
      clinic: {
        objectives: { rpo: '1m', rto: '1h' },
        sources: {
          database: {
            type: 'postgres',
            url: { file: './secrets/database-url' },
            wal: { mode: 'stream', flushEvery: '1s' },
          },
          media: { type: 'files', path: './clinic/media', exclude: ['cache/**', '*.tmp'] },
        },
        references: [
          { query: 'select file from clinical_media', source: 'media' },
          { query: 'select file from reports', source: 'media' },
        ],
        migrations: { query: "select app || '.' || name from django_migrations order by id" },
        proof: {
          assertions: [
            {
              name: 'every visit has its patient of the same clinic',
              query:
                'select not exists (select from encounters e left join patients p on p.id = e.patient_id where p.id is null)',
            },
          ],
        },
        tenants: { table: 'public.tenants', key: 'id', name: 'slug' },
        schedules: [{ run: 'backup', cron: '* * * * *' }],
        retention: { daily: 7, weekly: 4, monthly: 12 },
      },
    },
  };
  return `# The demonstration's clinic. Play with it: export HOLDFAST_CONFIG to this file's path.\n${stringify(values)}`;
}
