/** Machine facts, with real Git checkouts and real programs. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { test } from 'node:test';
import { collectMachineFacts } from '../../src/sources/machine-facts.ts';
import { need } from '../support/needs.ts';
import { run, runOk } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const git = await need('git');

/** Runs git as nobody in particular, untouched by this machine's configuration. */
async function inGit(cwd: string, ...args: string[]): Promise<string> {
  const who = [
    '-c',
    'user.name=Test',
    '-c',
    'user.email=test@example.org',
    '-c',
    'init.defaultBranch=main',
    '-c',
    'commit.gpgsign=false',
  ];
  const env = {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_DIR: undefined,
    GIT_INDEX_FILE: undefined,
    GIT_WORK_TREE: undefined,
  };
  return (await runOk('git', [...who, ...args], { cwd, env })).stdout.trim();
}

async function checkout(dir: TempDir): Promise<string> {
  const path = dir.join('app');
  await mkdir(`${path}/src`, { recursive: true });
  await inGit(path, 'init', '-q');
  await writeFile(`${path}/src/a`, 'one\n');
  await writeFile(`${path}/b`, 'two\n');
  await inGit(path, 'add', '.');
  await inGit(path, 'commit', '-qm', 'first');
  return path;
}

async function factsOf(path: string) {
  return (await collectMachineFacts({ git: path })).git;
}

test('the facts of this machine and of this program', async () => {
  const facts = await collectMachineFacts();
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(facts.hostname, os.hostname());
  assert.equal(facts.node, process.versions.node);
  assert.equal(facts.holdfast, version);
  assert.equal(facts.memoryBytes, os.totalmem());
  assert.ok(facts.cpu.count > 0);
  assert.match(facts.kernel, /^\w+ \d/);
  assert.deepEqual(facts.problems, []);
});

test('commit and branch of a checkout, from any directory in it', { skip: git.skip }, async () => {
  await using dir = await tempDir();
  const path = await checkout(dir);
  const commit = await inGit(path, 'rev-parse', 'HEAD');
  assert.deepEqual(await factsOf(`${path}/src`), { commit, branch: 'main', dirty: false });
  await inGit(path, 'checkout', '-q', '-b', 'feature/new thing'.replace(' ', '-'));
  assert.equal((await factsOf(path))?.branch, 'feature/new-thing');
});

test('changed, removed and staged files make a checkout dirty; touched and untracked ones do not', {
  skip: git.skip,
}, async () => {
  await using dir = await tempDir();
  const path = await checkout(dir);
  await utimes(`${path}/b`, 1, 1);
  await writeFile(`${path}/untracked`, '');
  assert.equal((await factsOf(path))?.dirty, false);
  await writeFile(`${path}/b`, 'TWO\n');
  assert.equal((await factsOf(path))?.dirty, true);
  await inGit(path, 'add', 'b');
  assert.notEqual((await factsOf(path))?.dirty, false);
  await inGit(path, 'commit', '-qm', 'second');
  assert.equal((await factsOf(path))?.dirty, false);
  await rm(`${path}/src/a`);
  assert.equal((await factsOf(path))?.dirty, true);
});

test('index versions 2 and 4, packed references, worktrees, a detached HEAD', { skip: git.skip }, async () => {
  await using dir = await tempDir();
  const path = await checkout(dir);
  const commit = await inGit(path, 'rev-parse', 'HEAD');
  await inGit(path, 'update-index', '--index-version', '4');
  assert.deepEqual(await factsOf(path), { commit, branch: 'main', dirty: false });
  await inGit(path, 'pack-refs', '--all');
  assert.deepEqual(await factsOf(path), { commit, branch: 'main', dirty: false });
  await inGit(path, 'worktree', 'add', '-q', '-b', 'side', '../side');
  assert.deepEqual(await factsOf(dir.join('side')), { commit, branch: 'side', dirty: false });
  await inGit(path, 'checkout', '-q', '--detach');
  assert.deepEqual(await factsOf(path), { commit, dirty: false });
});

test('a checkout whose files are damaged or hostile gives no facts, and no failure', { skip: git.skip }, async () => {
  await using dir = await tempDir();
  const path = await checkout(dir);
  const index = await readFile(`${path}/.git/index`);
  for (let cut = 0; cut < index.length; cut += 7) {
    await writeFile(`${path}/.git/index`, index.subarray(0, cut));
    assert.equal((await factsOf(path))?.branch, 'main');
  }
  for (const head of [
    '',
    'ref: refs/../../../etc/passwd',
    'ref: refs/heads/none',
    'x'.repeat(100_000),
    '\0',
    'ref: refs/heads/loop',
  ]) {
    await writeFile(`${path}/.git/HEAD`, head);
    await writeFile(`${path}/.git/refs/heads/loop`, 'ref: refs/heads/loop');
    const facts = await collectMachineFacts({ git: path });
    assert.equal(facts.git, undefined);
    assert.equal(facts.problems.length, 1);
  }
  await rm(`${path}/.git`, { recursive: true });
  await run('mkfifo', [`${path}/.git`]);
  assert.equal(await factsOf(path), undefined);
});

test('versions come from a text or from programs, which get no shell and no endless time', async () => {
  const facts = await collectMachineFacts({
    application: ['printf', '\\n  v1.2 \\033[31m $HOME\\nmore\\n'],
    runtimes: {
      node: [process.execPath, '--version'],
      missing: ['no-such-program-here', 'secret-argument'],
      failing: ['false'],
      silent: ['true'],
      endless: ['sleep', '60'],
      talkative: ['yes'],
    },
    timeoutMs: 6000,
  });
  assert.equal(facts.application, 'v1.2 \\x1b[31m $HOME');
  assert.deepEqual(facts.runtimes, { node: process.version });
  assert.equal(facts.problems.length, 5);
  assert.ok(facts.problems.every((problem) => !problem.includes('secret-argument')));
  assert.equal((await collectMachineFacts({ application: '2.0\n' })).application, '2.0');
});
