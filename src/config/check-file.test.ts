import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import { checkFile } from './check-file.ts';

const check = (text: string) => checkFile({ file: '/etc/holdfast/holdfast.yaml', text, mode: 0o600 });

/** Every problem of `text` as `line path: message`. */
function problems(text: string): string[] {
  try {
    check(text);
    return [];
  } catch (error) {
    assert.ok(isFailure(error, 'config_invalid'), String(error));
    const listed = error.details.problems as { line: number; path: string; message: string }[];
    return listed.map(({ line, path, message }) => `${line} ${path}: ${message}`);
  }
}

/** A valid file whose parts can be replaced. */
function file(parts: { storage?: string; sources?: string; app?: string; rest?: string } = {}): string {
  const {
    storage = 'type: local, path: /backups',
    sources = 'media: { type: files, path: /srv }',
    app = '',
    rest = '',
  } = parts;
  return `version: 1
repository: { password: { env: PASSWORD } }
storages: { main: { ${storage} } }
apps: { shop: { sources: { ${sources} }, ${app} } }
${rest}`;
}

test('the smallest file is valid, and a file without apps too', () => {
  assert.deepEqual(problems(file()), []);
  assert.deepEqual(
    problems('version: 1\nrepository: { password: x }\nstorages: { a: { type: local, path: a } }\n'),
    [],
  );
});

test('what was probably meant is said once, and nothing that only follows from it', () => {
  const broken = file({
    storage: 'typ: local, path: /backups',
    sources: 'db: { type: postgress, url: "postgres://x" }',
    app: 'migrations: { query: select 1 }, schedules: [{ run: bakup, cron: "@daily" }]',
  });
  assert.deepEqual(problems(broken), [
    '3 storages.main.type: is missing; one of local, s3 (is "typ" meant to be it?)',
    '4 apps.shop.sources.db.type: must be one of postgres, files, config (did you mean "postgres"?)',
    '4 apps.shop.schedules[0].run: must be one of backup, prove, check, sync, prune, wal-fold, drill (did you mean "backup"?)',
  ]);
  const references = file({ storage: 'type: { env: KIND }, path: /backups' }).replace(
    'version: 1',
    'version: { env: V }',
  );
  assert.deepEqual(problems(references), [
    '1 version: must be 1; it is written here, a reference does not do',
    '3 storages.main.type: must be one of local, s3; it is written here, a reference does not do',
  ]);
  assert.equal(problems('version: 1\nrepository: { password: [x\nstorages:\n  a: 1\n').length, 1);
});

test('all mistakes are told at once, in the order of the file, each with its line', () => {
  const text = `versoin: 1
repository:
  password: { envv: X }
  packSize: 16MB
  compression: 22
storages:
  local: { type: local, path: 5 }
  lokal: { type: locl, path: /x }
  bad name: { type: local, path: /q }
apps:
  clinic:
    sources:
      media: { type: files, path: /srv, exlude: [] }
`;
  assert.deepEqual(problems(text), [
    '1 version: is missing',
    '1 versoin: unknown key (did you mean "version"?)',
    '3 repository.password: unknown kind of reference "envv" (did you mean "env"?)',
    '4 repository.packSize: must be a number with a binary unit: B, KiB, MiB, GiB or TiB, such as 16MiB',
    '5 repository.compression: must be auto, max, off or a zstd level from 1 to 19',
    '7 storages.local.path: must be text; put it in quotes',
    '8 storages.lokal.type: must be one of local, s3 (did you mean "local"?)',
    '9 storages.bad name: must be a name: up to 63 letters, digits, "-" and "_", beginning with a letter or digit',
    '13 apps.clinic.sources.media.exlude: unknown key (did you mean "exclude"?)',
  ]);
});

const s3 = (more: string) => `type: s3, bucket: bkt, accessKeyId: a, secretAccessKey: b, ${more}`;
const app = (text: string) => file({ app: text });

/** One mistake each, and words that the complaint must hold. */
const MISTAKES: readonly (readonly [mistake: string, text: string, complaint: RegExp])[] = [
  ['an empty file', '# nothing\n', /^1 : the file is empty/],
  ['a list', '- a\n', /must be a mapping/],
  [
    'another version',
    file().replace('version: 1', 'version: 2'),
    /version 2 is not known; this program reads version 1/,
  ],
  ['a value left out', file({ storage: 'type: local, path: ' }), /^3 storages.main.path: has no value/],
  ['a key given twice', file({ rest: 'version: 1' }), /^5 : the key "version" stands here a second time/],
  ['no storage', file().replace(/storages: .*/, 'storages: {}'), /names no storage/],
  ['no source', file({ sources: '' }), /names no source/],
  [
    'a source that this version lacks',
    file({ sources: 'b: { type: bucket }' }),
    /bucket is not supported in this version/,
  ],
  ['a source without a type', file({ sources: 'b: { path: x }' }), /is missing; one of postgres, files, config/],
  ['more copies than storages', file({ rest: 'copies: { required: 2 }' }), /asks for 2 copies, but there is only one/],
  ['no copies', file({ rest: 'copies: { required: 0 }' }), /must be a whole number from 1/],
  ['a URL with a password', file({ storage: s3('endpoint: "https://u:sekret@h"') }), /must be a web address/],
  ['a bucket that cannot be', file({ storage: s3('').replace('bkt', 'a/b') }), /name of a bucket/],
  ['a prefix that climbs', file({ storage: s3('prefix: ../x') }), /joined by "\/"/],
  ['object lock without days', file({ storage: s3('objectLock: {}') }), /objectLock.days: is missing/],
  ['words for a number', file({ storage: s3('connections: many') }), /connections: must be a whole number/],
  ['a database that is no URL', file({ sources: 'd: { type: postgres, url: host=x }' }), /must be a URL: postgres:/],
  [
    'a pattern instead of a list',
    file({ sources: 'm: { type: files, path: x, exclude: "*.tmp" }' }),
    /list of patterns/,
  ],
  ['a hook as one text', app('hooks: { beforeRestore: docker compose stop }'), /must be a list: the program, then/],
  ['a hook without a program', app('hooks: { beforeRestore: [] }'), /must name a program/],
  ['a retention without a rule', app('retention: {}'), /names no rule/],
  ['a retention of nothing', app('retention: { daily: 0 }'), /from 1 to/],
  [
    'rules for an unknown storage',
    app('retentionByStorage: { mian: { last: 1 } }'),
    /no storage "mian" \(did you mean "main"\?\)/,
  ],
  [
    'references to an unknown source',
    app('references: [{ query: q, source: x }]'),
    /there is no source "x" \(there is: media\)/,
  ],
  ['a query without a database', app('migrations: { query: q }'), /no source of type postgres/],
  ['an unknown run', app('schedules: [{ run: bakup, cron: "@daily" }]'), /schedules\[0\].run: must be one of backup/],
  [
    'a cron that never fires',
    app('schedules: [{ run: backup, cron: "0 0 31 2 *" }]'),
    /schedules\[0\].cron: names a day/,
  ],
  [
    'a schedule without a time',
    app('schedules: [{ run: prune }]'),
    /schedules\[0\].cron: is missing: when it runs \(or every, or after\)/,
  ],
  [
    'a schedule with two times',
    app('schedules: [{ run: prune, every: daily, cron: "@daily" }]'),
    /every: is given besides/,
  ],
  [
    'an option that what is run does not have',
    app('schedules: [{ run: backup, every: daily, with: { ful: true } }]'),
    /schedules\[0\].with.ful: unknown key \(did you mean "full"\?\)/,
  ],
  [
    'a percentage that is none',
    app('schedules: [{ run: check, every: daily, with: { readData: 5 } }]'),
    /percentage such as/,
  ],
  [
    'a schedule after one that is not there',
    app('schedules: [{ run: prove, after: bakup }, { run: backup, every: daily }]'),
    /schedules\[0\].after: there is no schedule "bakup" \(did you mean "backup"\?\)/,
  ],
  [
    'schedules that wait for each other',
    app('schedules: [{ run: prove, after: check }, { run: check, after: prove }]'),
    /schedules\[1\].after: leads back/,
  ],
  [
    'two schedules of one name',
    app('schedules: [{ name: a, run: check, every: daily }, { name: a, run: sync, every: daily }]'),
    /"a" is the name of another schedule/,
  ],
  [
    'a blackout of no length',
    app('schedules: [{ run: prune, every: daily, blackout: [{ from: "08:00", to: "08:00" }] }]'),
    /blackout\[0\].to: begins when it ends/,
  ],
  [
    'a day that is none',
    app('schedules: [{ run: prune, every: daily, blackout: [{ from: "08:00", to: "24:00", days: [mo] }] }]'),
    /days\[0\]: must be a day such as mon/,
  ],
  [
    'an address without a port',
    file({ rest: 'server: { listen: 127.0.0.1 }' }),
    /server.listen: must be an address and a/,
  ],
  ['a network that is none', file({ rest: 'server: { trustedProxies: [10.0.0.0/40] }' }), /must be an address or a/],
  [
    'a provider without https',
    file({ rest: 'server: { oidc: { issuer: http://id.example, clientId: a, clientSecret: b, roles: { map: {} } } }' }),
    /issuer: must begin with https/,
  ],
  ['a catalog in two places', file({ rest: 'catalog: { path: a, url: postgres://h/c }' }), /both a path and a url/],
  ['records kept too short', file({ rest: 'catalog: { keep: { alerts: 1d } }' }), /keep.alerts: must be 30d at least/],
  [
    'a step that says two things',
    app('runbook: { steps: [{ title: t, hook: [a], check: [b] }] }'),
    /steps\[0\]: must say one of run/,
  ],
  ['a time zone that is none', app('schedules: [{ run: backup, cron: "@daily", timezone: X }]'), /is not a time zone/],
  ['an objective in words', app('objectives: { rpo: 5 minutes }'), /objectives.rpo: must be a number with a unit/],
  [
    'two kinds of reference at once',
    file().replace('{ env: PASSWORD }', '{ env: A, file: b }'),
    /must be text, or a reference/,
  ],
  ['a duration without a unit', app('objectives: { rpo: 5 }'), /objectives.rpo: must be a number with a unit[^;]*$/m],
  ['a tab', 'version: 1\nrepository:\n\tpassword: x\n', /^3 : tabs cannot indent/],
  ['a bracket left open', 'version: 1\nstorages: [1\n', /:/],
  ['two documents', `${file()}\n---\nversion: 1\n`, /second document/],
  ['a bomb of aliases', `a: &a [1,1,1,1,1,1,1,1,1]\n${bomb()}`, /aliases/],
];

function bomb(): string {
  const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]\n`;
  return level('b', 'a') + level('c', 'b') + level('d', 'c') + level('e', 'd');
}

for (const [mistake, text, complaint] of MISTAKES) {
  test(`${mistake} is refused`, () => assert.match(problems(text).join('\n'), complaint));
}

test('two storages in one place are refused: they would be one copy', () => {
  const twice =
    'version: 1\nrepository: { password: x }\nstorages:\n  a: { type: local, path: /x }\n  b: { type: local, path: /x/ }\n';
  assert.deepEqual(problems(twice), ['5 storages.b: is the same place as the storage "a": it would be no second copy']);
  const paths = (a: string, b: string) => problems(twice.replace('/x }', `${a} }`).replace('/x/ }', `${b} }`)).length;
  assert.equal(paths('./x', 'x/.'), 1);
  assert.equal(paths('x', 'y/../x'), 1);
  assert.equal(paths('/x', './x'), 0);
  assert.equal(paths('x', 'x/y'), 0);
});

test('with several databases a query must say which is meant', () => {
  const sources = 'one: { type: postgres, url: "postgres://a/b" }, two: { type: postgres, url: { env: X } }';
  assert.match(problems(file({ sources, app: 'migrations: { query: q }' })).join(), /database: one or two/);
  assert.match(
    problems(file({ sources, app: 'migrations: { query: q, database: tow }' })).join(),
    /did you mean "two"/,
  );
  assert.deepEqual(problems(file({ sources, app: 'migrations: { query: q, database: two }' })), []);
});

test('no message quotes a value: it may be a secret', () => {
  const texts = [
    '*hunter2',
    '!hunter2 x',
    '@hunter2',
    '"hunter2\\q"',
    'hunter2: x',
    '[hunter2]',
    '{ hunter2: 1 ',
    "'hunter2",
  ];
  for (const text of texts) {
    const found = problems(`version: 1\nrepository:\n  password: ${text}\nstorages: { a: { type: local, path: a } }\n`);
    assert.ok(found.length > 0, text);
    assert.ok(!found.join('\n').includes('hunter2'), found.join('\n'));
  }
  assert.ok(
    !problems(file({ storage: s3('endpoint: "https://u:hunter2@h"') }))
      .join()
      .includes('hunter2'),
  );
});

test('anchors, merges and keys that begin with x- are free to use; lines are those of the text', () => {
  const text = `x-limits: &limits { connections: 3 }
version: 1
repository: { password: { env: P } }
storages:
  a: { <<: *limits, type: local, path: a }
`;
  const checked = check(text);
  assert.equal(checked.values.storages.a?.connections, 3);
  assert.equal(checked.lineOf(['storages', 'a', 'path']), 5);
});

test('the settings of a WAL archive and of proofs are held against the rest of the file', () => {
  const sources = 'd: { type: postgres, url: { env: U }, wal: { acknowledge: 9, flushEvery: 500ms } }';
  const app = 'proof: { assertions: [{ name: a, query: select true, database: e }] }';
  assert.deepEqual(problems(file({ sources, app })), [
    '4 apps.shop.proof.assertions[0].database: there is no postgres source "e" (there is: d)',
    '4 apps.shop.sources.d.wal.acknowledge: asks for 9 storages, but there is only one',
  ]);
});

test('what this version reads but does not act on is said', () => {
  const sources = 'd: { type: postgres, url: { env: U }, wal: stream }';
  const parts = 'objectives: { rpo: 5m }, tenants: { table: t, key: id }, schedules: [{ run: backup, cron: "@daily" }]';
  const remarks = check(file({ sources, app: parts })).remarks.map(({ path }) => path);
  assert.deepEqual(remarks.toSorted(), ['apps.shop.tenants']);
  assert.deepEqual(check(file()).remarks, []);
});

test('a secret written into the file is remarked on, more so when everybody can read the file', () => {
  const text = file().replace('{ env: PASSWORD }', 'hunter2');
  const remarks = (mode: number) => checkFile({ file: '/x/holdfast.yaml', text, mode }).remarks;
  assert.equal(remarks(0o600).length, 1);
  assert.equal(remarks(0o644).length, 2);
  assert.ok(!JSON.stringify(remarks(0o644)).includes('hunter2'));
});

test('a storage inside a source is remarked on', () => {
  const [remark] = check(file({ sources: 'all: { type: files, path: / }' })).remarks;
  assert.match(remark?.message ?? '', /backups would go into the next backup/);
});
