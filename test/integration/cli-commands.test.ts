/** The launcher and the commands that need no repository, as a user runs them. */
import assert from 'node:assert/strict';
import { cp, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { HOLDFAST, holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { run } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const CLONE = dirname(dirname(HOLDFAST));
/** A directory that goes with the test. */
async function directoryOf(t: TestContext): Promise<string> {
  const directory = await tempDir();
  t.after(() => directory.remove());
  return directory.path;
}

const zsh = await need('zsh');
const fish = await need('fish');

test('the launcher works through symbolic links and from any directory', async (t) => {
  const directory = await directoryOf(t);
  await mkdir(join(directory, 'deep'));
  await symlink(HOLDFAST, join(directory, 'deep/first'));
  await symlink('deep/first', join(directory, 'second'));
  for (const command of [join(directory, 'second'), './second']) {
    const done = await run(command, ['version', '--json'], { cwd: directory });
    assert.equal(done.code, 0, done.stderr);
    assert.match(JSON.parse(done.stdout).version, /^\d+\.\d+\.\d+/);
  }
  const onPath = await run('/bin/sh', ['-c', 'second version'], { env: { PATH: `${directory}:${process.env.PATH}` } });
  assert.match(onPath.stdout, /^holdfast \d/);
});

test('a launcher without a Node.js that is new enough says so and how to get one', async (t) => {
  const directory = await directoryOf(t);
  await mkdir(join(directory, 'clone/bin'), { recursive: true });
  await cp(HOLDFAST, join(directory, 'clone/bin/holdfast'));
  await writeFile(join(directory, 'clone/package-lock.json'), '{}');
  await mkdir(join(directory, 'path'));
  await writeFile(join(directory, 'path/node'), '#!/bin/sh\necho v18.20.0\n', { mode: 0o755 });
  const start = (PATH: string) => run('/bin/sh', [join(directory, 'clone/bin/holdfast'), 'version'], { env: { PATH } });
  const old = await start(join(directory, 'path'));
  assert.equal(old.code, 127);
  assert.match(
    old.stderr,
    /^Error: Holdfast needs Node\.js 24 or newer; found v18\.20\.0\.\n {2}Hint: run "npm ci" in \S+clone/,
  );
  assert.match((await start('/nonexistent')).stderr, /found none/);
});

test('a launcher without the pinned Node.js takes the one on the PATH', async (t) => {
  const directory = await directoryOf(t);
  await mkdir(join(directory, 'bin'));
  await mkdir(join(directory, 'dist/main'), { recursive: true });
  await cp(HOLDFAST, join(directory, 'bin/holdfast'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await writeFile(join(directory, 'dist/main/cli.js'), 'process.exit(process.argv[2] === "a b" ? 42 : 1);');
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  assert.equal((await run(join(directory, 'bin/holdfast'), ['a b'], { env })).code, 42);
});

test('a launcher starts what was built, and the sources as soon as one of them is newer or gone', async (t) => {
  const directory = await directoryOf(t);
  for (const path of ['bin', 'dist/main', 'src/main']) await mkdir(join(directory, path), { recursive: true });
  await cp(HOLDFAST, join(directory, 'bin/holdfast'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await writeFile(join(directory, 'package-lock.json'), '{}');
  await writeFile(join(directory, 'src/main/cli.ts'), 'process.exit(11 as number);');
  await writeFile(join(directory, 'src/other.ts'), '');
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  const start = async () => (await run(join(directory, 'bin/holdfast'), [], { env })).code;
  assert.equal(await start(), 11, 'never built');
  await writeFile(join(directory, 'dist/main/cli.js'), 'process.exit(12);');
  const soon = (seconds: number) => new Date(Date.now() + seconds * 1000);
  await utimes(join(directory, 'dist/main/cli.js'), soon(10), soon(10));
  assert.equal(await start(), 12, 'built since');
  await utimes(join(directory, 'src/other.ts'), soon(20), soon(20));
  assert.equal(await start(), 11, 'a source was changed');
  await utimes(join(directory, 'dist/main/cli.js'), soon(30), soon(30));
  await rm(join(directory, 'src/other.ts'));
  await utimes(join(directory, 'src'), soon(40), soon(40)); // as the removal would have it by then
  assert.equal(await start(), 11, 'a source was removed');
});

test('config validate lists every problem with its line, as text and as JSON', async (t) => {
  const directory = await directoryOf(t);
  const path = join(directory, 'holdfast.yaml');
  await writeFile(path, 'version: 1\nrepositry: {}\nstorages:\n  a: { type: local }\n');
  const text = await holdfast(['config', 'validate'], { cwd: directory });
  assert.equal(text.code, 2);
  assert.equal(
    text.stderr,
    `Error: ${path} has 3 problems.
  line 1: repository: is missing
  line 2: repositry: unknown key (did you mean "repository"?)
  line 4: storages.a.path: is missing
`,
  );
  const json = await holdfast(['config', 'validate', '--json'], { cwd: directory });
  assert.equal(json.code, 2);
  const details = json.error?.details as { problems: object[] };
  assert.deepEqual(details.problems[2], { line: 4, path: 'storages.a.path', message: 'is missing' });
});

test('config validate and show need no secret and contact nothing', async (t) => {
  const directory = await directoryOf(t);
  const path = await writeConfig(directory, {
    repository: { password: { env: 'NOT_SET' } },
    storages: { a: { type: 'local', path: '/nonexistent/a' } },
    apps: {
      shop: {
        sources: { database: { type: 'postgres', url: 'postgres://app:hunter2@127.0.0.1:1/shop' } },
        schedules: [{ run: 'backup', cron: '0 2 * * *' }],
        tenants: { table: 'tenants', key: 'id' },
      },
    },
  });
  const valid = await holdfastOk(['config', 'validate', '--config', path]);
  assert.match(valid.stdout, /is valid\.\n {2}storages: a\n {2}apps: shop\n/);
  assert.match(valid.stdout, /apps\.shop\.tenants: tenants are read but this version cannot/);
  const document = (await holdfastOk(['config', 'validate', '--json', '--config', path])).document<{
    remarks: object[];
  }>();
  assert.equal(document.remarks.length, 2);

  const shown = await holdfastOk(['--config', path, 'config', 'show']);
  assert.ok(!shown.stdout.includes('hunter2'));
  assert.match(shown.stdout, /password: "\*{8}" +# env NOT_SET \(file line \d+\)/);
  assert.match(shown.stdout, /required: 1 +# default/);
  const read = parse(shown.stdout) as { apps: { shop: { sources: { database: object }; schedules: object[] } } };
  const [schedule] = read.apps.shop.schedules as Record<string, unknown>[];
  assert.deepEqual([schedule?.run, schedule?.cron, schedule?.retries], ['backup', '0 2 * * *', 3]);
  assert.deepEqual(read.apps.shop.sources.database, {
    ...{ type: 'postgres', wal: 'off', url: 'postgres://app:********@127.0.0.1:1/shop' },
  });
});

test('without a configuration the places that were looked at are named', async (t) => {
  const directory = await directoryOf(t);
  const done = await holdfast(['config', 'validate', '--json'], {
    cwd: directory,
    env: { HOLDFAST_CONFIG: undefined },
  });
  assert.equal(done.code, 2);
  assert.equal(done.error?.error, 'config_missing');
  assert.ok(String(done.error?.message).includes(join(directory, 'holdfast.yaml')));
});

test('the bash completion offers commands, second words, options and choices', async (t) => {
  const path = join(await directoryOf(t), 'completion.bash');
  await writeFile(path, (await holdfastOk(['completion', 'bash'])).stdout);
  const complete = async (...words: string[]) => {
    const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const done = await run('/bin/bash', ['-euc', script, path, 'holdfast', ...words]);
    assert.equal(done.stderr, '');
    return done.stdout.trimEnd().split('\n');
  };
  assert.deepEqual(await complete('vers'), ['version']);
  assert.deepEqual(await complete('config', ''), ['validate', 'show', 'schema']);
  assert.deepEqual(await complete('--app', 'x', 'config', 'sh'), ['show']);
  assert.deepEqual(await complete('completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(await complete('version', '--js'), ['--json']);
  assert.ok((await complete('--config', `${CLONE}/pack`)).includes(`${CLONE}/package.json`));
});

for (const [shell, { skip }] of [
  ['zsh', zsh],
  ['fish', fish],
] as const) {
  test(`the ${shell} completion is a script that ${shell} reads`, { skip }, async (t) => {
    const path = join(await directoryOf(t), `completion.${shell}`);
    await writeFile(path, (await holdfastOk(['completion', shell])).stdout);
    const done = await run(shell, ['-n', path]);
    assert.deepEqual([done.code, done.stderr], [0, '']);
  });
}

test('an unknown shell is refused with those that are known', async () => {
  const done = await holdfast(['completion', 'tcsh']);
  assert.equal(done.code, 2);
  assert.match(done.stderr, /SHELL: "tcsh" does not fit\.\n {2}Hint: Write one of bash, zsh, fish\./);
});
