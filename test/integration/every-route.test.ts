/** Everything that the API can do has a command: whoever adds a route adds one, or says here why there is none. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { quiet } from '../../src/base/log.ts';
import { registry } from '../../src/cli/registry.ts';
import { loadConfiguration } from '../../src/config/configuration.ts';
import { openLocalApi } from '../../src/service/local-api.ts';
import { writeConfig } from '../support/holdfast.ts';
import { tempDir } from '../support/temp.ts';

const BROWSER = 'for a browser in which a person is logged in';
const TOKENS = 'made by a person who is logged in, or by `token` on the machine of the service';
const DJANGO = 'another word, for Django backup applications, for what these commands do: ';

/** Operations that no command asks for, and what does instead. */
const OTHERWISE: Readonly<Record<string, string>> = {
  ...{ getLoginWays: BROWSER, logIn: BROWSER, beginOidc: BROWSER, endOidc: BROWSER, getSession: BROWSER },
  ...{ logOut: BROWSER, listSessions: BROWSER, endSession: BROWSER, endOtherSessions: BROWSER },
  ...{ beginTotp: BROWSER, confirmTotp: BROWSER, newRecoveryCodes: BROWSER, removeTotp: BROWSER },
  changePassword: `${BROWSER}; for others \`user passwd\``,
  setUp: '`user add --role administrator` on the machine of the service',
  ...{ listTokens: TOKENS, createToken: TOKENS, revokeToken: TOKENS },
  verifyAudit: '`audit verify` holds the log against the storages itself, and need not believe the server',
  ...{
    pinPoint: '`pin` asks for the run',
    unpinPoint: '`unpin` asks for the run',
    forgetPoint: '`forget` asks for the run',
  },
  getManifest: '`show --json` has it',
  getProofPage: '`proofs --html` makes the same page',
  createExportPackage: '`export` makes the package while it is sent',
  getConfigSchema: '`config schema` prints it without asking anybody',
  getVersion: '`version` prints that of the program itself; `workers` has those of the service',
  ...{ getHealthz: 'for load balancers', getReadyz: 'for load balancers' },
  ...{ getDescription: 'describes the server that one asks', getDocs: BROWSER, getDocsStyle: BROWSER },
  ...{ listBackupConfigurations: `${DJANGO}schedules list`, createBackupConfiguration: `${DJANGO}schedules add` },
  ...{ getBackupConfiguration: `${DJANGO}schedules show`, setBackupConfigurationActive: `${DJANGO}schedules enable` },
  ...{ executeBackupConfiguration: `${DJANGO}schedules run`, runDueBackups: `${DJANGO}schedules run-due` },
  ...{
    listBackupJobs: `${DJANGO}runs list`,
    getBackupJob: `${DJANGO}runs show`,
    downloadBackupJob: `${DJANGO}archive`,
  },
  ...{ listRestores: `${DJANGO}runs list --kind restore`, restoreFromBackup: `${DJANGO}runs start restore` },
};

const SRC = new URL('../../src/', import.meta.url);

/** What a file takes from the declarations of the API, itself or through the client. */
async function askedBy(file: string): Promise<string[]> {
  const ids: string[] = [];
  const imports = readFileSync(new URL(file, SRC), 'utf8').matchAll(/^import \{([^}]*)\} from '([^']+)';$/gm);
  for (const [, names = '', from = ''] of imports) {
    const path = posix.join(dirname(file), from);
    if (path.startsWith('client/')) ids.push(...(await askedBy(path)));
    if (!path.startsWith('api/')) continue;
    const declared = (await import(new URL(path, SRC).href)) as Record<string, { readonly id?: string }>;
    for (const name of names.split(',')) ids.push(declared[name.trim().split(' as ')[0]!]?.id ?? '');
  }
  return ids.filter((id) => id !== '');
}

test('for every operation of the description there is a command that works through a server, or a reason why not', async () => {
  await using dir = await tempDir();
  const path = await writeConfig(dir.path, {
    ...{ repository: { password: 'p' }, storages: { a: { type: 'local', path: dir.join('a') } } },
    apps: { clinic: { sources: { media: { type: 'files', path: dir.path } } } },
  });
  const config = await loadConfiguration({ path, env: {}, cwd: dir.path });
  const build = { version: '0', node: '', platform: '' };
  await using api = await openLocalApi(config, { clock: systemClock, build, env: {}, log: quiet });
  const response = await api.fetch(new Request('http://localhost/api/v1/openapi.json'));
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, { operationId?: string }>> };
  const operations = Object.values(paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ operationId }) => operationId ?? []),
  );
  assert.ok(operations.length > 100);

  const asked = new Set<string>();
  for (const { name, load } of registry) {
    const ids = await askedBy(`cli/commands/${name.replaceAll(' ', '-')}.ts`);
    const { default: command } = await load();
    if (ids.length > 0) assert.ok(command.remote !== undefined, `${name} asks a server`);
    for (const id of ids) asked.add(id);
  }
  const without = operations.filter((id) => !asked.has(id) && OTHERWISE[id] === undefined);
  assert.deepEqual(without, [], 'these need a command, or a reason here');
  const needless = Object.keys(OTHERWISE).filter((id) => asked.has(id) || !operations.includes(id));
  assert.deepEqual(needless, [], 'these have a command, or are not there any more');
});
