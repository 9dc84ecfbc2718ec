/**
 * Every route × everybody who may ask: what is declared is what happens. The table of it is docs/access.md; with HOLDFAST_WRITE_DOCS=1 it is
 * written anew instead of compared.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Context } from 'hono';
import { TOTP } from 'otpauth';
import type { Endpoint } from '../../src/api/endpoint.ts';
import { raise } from '../../src/catalog/alerts.ts';
import { createApproval } from '../../src/catalog/approvals.ts';
import { auditHead, listAudit } from '../../src/catalog/audit.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { addSchedule } from '../../src/catalog/schedules.ts';
import type { Role } from '../../src/catalog/schema.ts';
import type { SessionRecord } from '../../src/catalog/sessions.ts';
import { userNamed } from '../../src/catalog/users.ts';
import { Person } from '../../src/server/access/identity.ts';
import { isRecorded, writesItself } from '../../src/server/access/recorded.ts';
import { newSetupCode } from '../../src/server/access.ts';
import { describeApi } from '../../src/server/openapi.ts';
import { type AccessServer, type Asked, accessServer, type Browser, LONG } from '../support/access.ts';
import { attacks } from '../support/fuzz.ts';

const PAGE = fileURLToPath(new URL('../../docs/access.md', import.meta.url));

/** Who asks: nobody, or an account or a token with this role for these apps. */
const ASKERS: readonly {
  readonly title: string;
  readonly role?: Role;
  readonly app?: string;
  /** A token without an owner. */
  readonly token?: true;
}[] = [
  { title: 'nobody' },
  { title: 'no role', app: '' },
  { title: 'viewer', role: 'viewer', app: '*' },
  { title: 'operator', role: 'operator', app: '*' },
  { title: 'administrator', role: 'administrator', app: '*' },
  { title: 'administrator of the app', role: 'administrator', app: 'clinic' },
  { title: 'administrator of another app', role: 'administrator', app: 'shop' },
  { title: 'token for another app', role: 'administrator', app: 'shop', token: true },
];
type Asker = (typeof ASKERS)[number];

type Cell = 'yes' | 'no' | 'hidden';

/** Codes with which a thing of an app that one may not see is told as not there. */
const HIDDEN: readonly string[] = ['run_unknown', 'schedule_unknown', 'alert_unknown', 'approval_unknown'];

const RANK: Readonly<Record<string, number>> = { viewer: 1, operator: 2, administrator: 3 };

let server: AccessServer;
const browsers = new Map<string, Browser>();

before(async () => {
  server = await accessServer(undefined);
  for (const [at, { role, app, token }] of ASKERS.entries()) {
    if (app === undefined || token) continue;
    await server.account(`asker${at}`, ...(role === undefined ? [] : [[role, app] as const]));
  }
});
after(() => server?.[Symbol.asyncDispose]());

/** Things of the app `clinic`, new for each request, for what stands in a path. */
const things: Readonly<Record<string, () => Promise<string>>> = {
  run: async () =>
    (await createRun(server.catalog.db, { app: 'clinic', kind: 'backup', trigger: 'api' }, now())).run.id,
  schedule: newSchedule,
  approval: async () => {
    const asked = {
      action: 'restore',
      app: 'clinic',
      params: { to: '/srv/x' },
      requestedBy: 'somebody',
      expiresAt: now() + 1e6,
    };
    return (await createApproval(server.catalog.db, asked, now())).id;
  },
  alert: async () => {
    const finding = { rule: 'proof_too_old', severity: 'WARNING', app: 'clinic', title: 't', message: 'm' } as const;
    return (await raise(server.catalog.db, { ...finding, cause: `c${Math.random()}` }, now())).alert.id;
  },
  sandbox: async () =>
    (await createRun(server.catalog.db, { app: 'clinic', kind: 'sandbox', trigger: 'api' }, now())).run.id,
  point: async () => 'a'.repeat(64),
  proof: async () => 'b'.repeat(16),
  app: async () => 'clinic',
  user: async () => 'ghost',
  channel: async () => 'mail',
};
const NO_RECORD = '0'.repeat(26);

/** What a query needs, and bodies that are looked at before it is known who may. */
const QUERIES: Readonly<Record<string, string>> = {
  pattern: 'x',
  from: 'latest',
  to: 'latest',
  name: 'x',
  'restoreFromFile.to': '/x',
};
const BODIES: Readonly<Record<string, object>> = {
  createRun: { kind: 'backup', app: 'clinic' },
  createExportPackage: { app: 'clinic' },
  exportRows: { app: 'clinic', at: 'latest', table: 'x' },
  createSandbox: { app: 'clinic', at: 'latest' },
  addRunInput: { kind: 'note', text: 'x' },
  createSchedule: { kind: 'backup', app: 'clinic', cron: '@daily' },
  createBackupConfiguration: { app: 'clinic', name: 'x' },
  setBackupConfigurationActive: { is_active: true },
  restoreFromBackup: { app: 'clinic', backup: 'latest', to: '/srv/x' },
  muteAlert: { until: null },
};

/** Each asks every storage, or never ends. */
const LOOKS_AT_STORAGES = ['runDoctor', 'runHealthCheck', 'getStatus', 'getSystemStatus', 'getKit', 'streamEvents'];

/** Status of the last request. */
let answered = 0;

const now = () => server.clock.now();

async function newSchedule(): Promise<string> {
  const fixed = {
    cron: '0 2 * * *',
    timezone: 'UTC',
    jitterMs: 0,
    catchUp: true,
    blackout: [],
    priority: 0,
    retries: 0,
  };
  const name = `s${Math.random()}`;
  const schedule = {
    ...fixed,
    app: 'clinic',
    kind: 'backup',
    name,
    params: {},
    labels: {},
    enabled: true,
    origin: 'api',
  } as const;
  return (await addSchedule(server.catalog.db, schedule, { evaluatedUntil: now(), nextAt: null }, now())).id;
}

async function request({ id, method, path, query, body }: Endpoint, asker: Asker, at: number): Promise<Cell | string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  let place = path;
  for (const name of names) place = place.replace(`{${name}}`, encodeURIComponent(await parameter(name, path)));
  const search = new URLSearchParams('app' in query.shape ? { app: 'clinic' } : {});
  for (const [name, field] of Object.entries(query.shape))
    if (!field.safeParse(undefined).success) search.set(name, QUERIES[`${id}.${name}`] ?? QUERIES[name] ?? 'x');
  const asked = {
    method,
    ...(body === undefined ? {} : { json: BODIES[id] ?? {} }),
    from: `10.0.${at}.1`,
    cancel: true,
  };
  const who = await browserOf(asker, at, path);
  const answer = await who.ask(`${place}?${search}`, asked);
  answered = answer.status;
  const { code } = answer.body ?? {};
  if (answer.status === 401 && code === 'unauthenticated') return 'no';
  if (answer.status === 403 && code === 'forbidden') return 'no';
  if (answer.status === 404 && HIDDEN.includes(code)) return 'hidden';
  return answer.status < 500 || code !== 'internal' ? 'yes' : `${answer.status} ${JSON.stringify(answer.body)}`;
}

function parameter(name: string, path: string): Promise<string> {
  if (path.includes('/configurations/{id}')) return newSchedule();
  if (path.includes('/jobs/{id}')) return things.run!();
  return things[name]?.() ?? Promise.resolve(NO_RECORD);
}

/** Some routes end sessions: those get one of their own. */
async function browserOf({ app, role, token }: Asker, at: number, path: string): Promise<Pick<Browser, 'ask'>> {
  if (app === undefined) return server.browser();
  if (token) return server.holding((await server.token(role!, { app })).token);
  const name = `asker${at}`;
  const known = browsers.get(name);
  if (known !== undefined && !/\/(session|account)\b/.test(path)) return known;
  const fresh = await server.loggedIn(name, `10.0.${at}.1`);
  browsers.set(name, fresh);
  return fresh;
}

/** By the declaration alone. */
function expected({ access, app, path, query }: Endpoint, { role, app: ofApps, token }: Asker): Cell {
  if (access === 'public') return 'yes';
  if (ofApps === undefined) return 'no';
  if (access === 'account') return token === true ? 'no' : 'yes';
  const seesApp = ofApps === '*' || ofApps === 'clinic';
  const enough = role !== undefined && RANK[role]! >= RANK[access]!;
  if (app === undefined) return enough && ofApps === '*' ? 'yes' : 'no';
  if (app !== 'resource' || (!path.includes('{') && 'app' in query.shape)) return enough && seesApp ? 'yes' : 'no';
  if (!path.includes('{')) return 'yes';
  return seesApp ? (enough ? 'yes' : 'no') : 'hidden';
}

test('every route answers everybody as it is declared, and the page of it is up to date', async () => {
  const rows: string[] = [];
  const wrong: string[] = [];
  for (const endpoint of server.app.api.endpoints) {
    const cells: string[] = [];
    for (const [at, asker] of ASKERS.entries()) {
      const { seq } = await auditHead(server.catalog.db);
      const cell = await request(endpoint, asker, at);
      const [noted] = await listAudit(server.catalog.db, { action: endpoint.id, outcome: 'ok', limit: 1 });
      if (answered < 300 && !writesItself(endpoint) && asker.app !== undefined)
        assert.equal((noted?.seq ?? 0) > seq, isRecorded(endpoint), `${endpoint.id} in the audit log`);
      const wanted = expected(endpoint, asker);
      if (cell !== wanted)
        wrong.push(`${endpoint.method} ${endpoint.path}, ${asker.title}: ${cell}, declared: ${wanted}`);
      cells.push(cell);
    }
    cells.push(isRecorded(endpoint) ? 'kept' : '');
    rows.push(`| \`${endpoint.method} ${endpoint.path}\` | ${cells.join(' | ').trim()} |`);
  }
  assert.deepEqual(wrong, []);
  const titles = ASKERS.map(({ title }) => title);
  const table = [
    `| route | ${titles.join(' | ')} | audit log |`,
    `|---|${titles.map(() => '---|').join('')}---|`,
    ...rows,
  ];
  const page = `${INTRODUCTION}\n${table.join('\n')}\n`;
  if (process.env.HOLDFAST_WRITE_DOCS === '1') await writeFile(PAGE, page);
  const hint = 'write it: HOLDFAST_WRITE_DOCS=1 npm test -- access-routes';
  assert.equal(await readFile(PAGE, 'utf8'), page, hint);
});

const INTRODUCTION = `# Who may call what

Made by a test from the declarations of the routes, each cell tried with a real request about the app \`clinic\`. Roles are for all apps unless the
column says otherwise.

- **yes**: the request is carried out, or refused for another reason than who asks.
- **no**: \`401\` for nobody, \`403\` for everybody else.
- **hidden**: \`404\`, as if there were no such thing.

The audit log keeps that a request was answered where the last column says so: whatever changes something, and whatever shows contents of backups,
names of files in them, the configuration or the kit. It keeps every refusal, of all routes ([how](guide/access.md#the-audit-log)).

A list that anybody with an account may ask for holds only what they may see. Routes of one's own account are for people who are logged in, never for
tokens. A run of the kind \`forget\`, \`prune\` or \`import\` takes an administrator, whatever route asks for it. What waits for a second person is described in
[Access](guide/access.md#two-people).
`;

test('what the audit log is to keep of the other routes, it keeps', async () => {
  const { access } = server.app.api.deps;
  await server.account('zoe', ['administrator', '*']);
  const user = await userNamed(server.catalog.db, 'zoe');
  const principal = new Person(user, [], {} as SessionRecord);
  for (const endpoint of server.app.api.endpoints.filter((each) => !writesItself(each))) {
    const { seq } = await auditHead(server.catalog.db);
    const context = new Context(new Request(`http://holdfast.test${endpoint.path}?x=1`));
    await access.answered!(
      { principal, endpoint, app: 'clinic', path: endpoint.path, status: 200, request: 'x' },
      context,
    );
    const [entry] = await listAudit(server.catalog.db, { limit: 1 });
    assert.equal(entry!.seq > seq, isRecorded(endpoint), endpoint.id);
    if (isRecorded(endpoint))
      assert.deepEqual(
        [entry!.actor, entry!.action, entry!.target, entry!.app, entry!.outcome],
        ['user:zoe', endpoint.id, `${endpoint.path}?x=1`, 'clinic', 'ok'],
      );
    const handsOut = endpoint.method === 'GET' && endpoint.answer.types !== undefined && endpoint.access !== 'public';
    assert.ok(!handsOut || isRecorded(endpoint) || STREAMS.includes(endpoint.id), `${endpoint.id} hands out a file`);
  }
});

/** Not JSON, and no contents. */
const STREAMS = ['getMetrics', 'streamEvents'];

test('whatever people change about accounts is kept, with who did it', async () => {
  const done = new Set<string>();
  /** Carries it out, and finds its entry. */
  const kept = async (id: string, who: Browser, path: string, asked: Asked = {}) => {
    const { seq } = await auditHead(server.catalog.db);
    const answer = await who.ask(path, asked);
    assert.ok(answer.status < 300, `${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
    const entries = await listAudit(server.catalog.db, { limit: 5 });
    const fresh = entries.filter((entry) => entry.seq > seq && entry.outcome === 'ok');
    assert.ok(
      fresh.length > 0 && fresh.every(({ actor, address }) => actor.startsWith('user:') && address !== null),
      id,
    );
    done.add(id);
    return answer;
  };
  const [post, put, patch, drop] = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => (json?: object) => ({
    method,
    ...(json === undefined ? {} : { json }),
  })) as [Ask, Ask, Ask, Ask];
  await server.account('yan', ['administrator', '*']);
  const yan = server.browser();
  const session = await kept('logIn', yan, '/api/v1/session', post({ name: 'yan', password: LONG }));
  yan.csrf = session.body.csrf;
  const [other, third] = [await server.loggedIn('yan'), await server.loggedIn('yan')];
  const { items } = (await yan.ask('/api/v1/account/sessions')).body;
  await kept('endSession', yan, `/api/v1/account/sessions/${items[1].id}`, drop());
  await kept('endOtherSessions', yan, '/api/v1/account/sessions', drop());
  assert.deepEqual(
    [(await other.ask('/api/v1/session')).status, (await third.ask('/api/v1/session')).status],
    [401, 401],
  );
  const changed = 'another long password';
  await kept('changePassword', yan, '/api/v1/account/password', put({ current: LONG, new: changed }));
  const totp = '/api/v1/account/totp';
  const { secret } = (await kept('beginTotp', yan, totp, post({ password: changed }))).body;
  const code = () => new TOTP({ secret }).generate({ timestamp: now() });
  const { recovery_codes: codes } = (await kept('confirmTotp', yan, totp, put({ code: code() }))).body;
  const renewed = await kept('newRecoveryCodes', yan, '/api/v1/account/recovery-codes', post({ code: codes[0] }));
  const last = { password: changed, code: renewed.body.recovery_codes[0] };
  await kept('removeTotp', yan, `${totp}/remove`, post(last));
  const token = await kept('createToken', yan, '/api/v1/tokens', post({ name: 'ci', role: 'viewer' }));
  await kept('revokeToken', yan, `/api/v1/tokens/${token.body.record.id}`, drop());
  await kept('createUser', yan, '/api/v1/users', post({ name: 'wim', password: LONG }));
  await kept('changeUser', yan, '/api/v1/users/wim', patch({ disabled: false }));
  await kept('setUserPassword', yan, '/api/v1/users/wim/password', put({ password: changed }));
  await kept('resetUserTotp', yan, '/api/v1/users/wim/totp', drop());
  await kept('setGrant', yan, '/api/v1/users/wim/grants/clinic', put({ role: 'viewer' }));
  await kept('removeGrant', yan, '/api/v1/users/wim/grants/clinic', drop());
  await kept('removeUser', yan, '/api/v1/users/wim', drop());
  for (const [id, what] of [
    ['approve', 'approve'],
    ['refuse', 'refuse'],
    ['cancelApproval', 'cancel'],
  ] as const)
    await kept(id, yan, `/api/v1/approvals/${await things.approval!()}/${what}`, post());
  await kept('exportAudit', yan, '/api/v1/audit/export');
  await kept('logOut', yan, '/api/v1/session', drop());
  await server.forgetEverybody();
  const printed = await newSetupCode(server.catalog, now());
  await kept('setUp', server.browser(), '/api/v1/setup', post({ code: printed, name: 'vera', password: LONG }));
  done.add('endOidc'); // with a real provider: access-oidc.test.ts
  const own = server.app.api.endpoints.filter((endpoint) => writesItself(endpoint) && isRecorded(endpoint));
  assert.deepEqual([...done].sort(), own.map(({ id }) => id).sort());
});

type Ask = (json?: object) => Asked;

test('the description with all routes passes the linter, and every id is there once', async () => {
  const { body } = await server.ask('/api/v1/openapi.json');
  const source = typeof body === 'string' ? body : JSON.stringify(body);
  const problems = await lintFromString({ source, config: await createConfig({ extends: ['recommended'] }) });
  const errors = problems.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  );
  const ids = server.app.api.endpoints.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('whatever the description allows, and whatever it does not, is answered, never as a failure of ours', async () => {
  await server.account('zoe', ['administrator', '*']);
  const program = server.holding((await server.token('administrator')).token);
  const description = describeApi(server.app.api.endpoints, 'test');
  let person = server.browser();
  let last = '';
  let count = 0;
  let logins = 0;
  for (const { operation, method, path, json } of attacks(description, {
    ...BODIES,
    createUser: { name: 'ute', password: LONG },
  })) {
    const { operationId } = operation;
    if (LOOKS_AT_STORAGES.includes(operationId)) continue;
    const isOwn = operation['x-access'] === 'account';
    if (isOwn && last !== operationId) person = await server.loggedIn('zoe', `10.1.0.${++logins}`);
    last = operationId;
    const asked = { method, cancel: true, ...(json === undefined ? {} : { json }) };
    const { status, headers, body } = await (isOwn ? person : program).ask(path, asked);
    const what = `${method} ${path.slice(0, 200)} ${JSON.stringify(json)?.slice(0, 300)}: ${status}`;
    count++;
    if (status < 400) continue;
    assert.equal(headers.get('content-type'), 'application/problem+json', what);
    assert.equal(body.status, status, what);
    assert.notEqual(body.code, 'internal', what);
  }
  assert.ok(count > 1_000);
});
