/**
 * The documentation does what it says: its examples are run, word for word, against a real PostgreSQL and real directories; its
 * configurations are valid; its commands and options exist, and every command is in it.
 */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commandPage } from '../../scripts/documentation/command-page.ts';
import { flagName, GLOBAL_OPTIONS } from '../../src/cli/global-flags.ts';
import { findCommand } from '../../src/cli/registration.ts';
import { registry } from '../../src/cli/registry.ts';
import { loadConfiguration } from '../../src/config/configuration.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { programsFor, programsReadableBy } from '../../src/postgres/programs.ts';
import { type Block, blocksOf, mentionsIn, pages, readPage } from '../support/docs.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { run } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const MAJOR = 17;
const needed = await need('restic', 'postgres15');
const skip = needed.skip || (process.getuid?.() === 0 ? false : 'the examples are for root');

describe('examples', { skip }, () => {
  let world: World;
  before(async () => {
    world = await World.make();
  });
  after(() => world?.remove());

  test('the quick start of the README works word for word', () => world.follow('README.md'));
  test('getting started works word for word', () => world.follow('docs/guide/getting-started.md'));
  test('restoring goes on from there, with Holdfast and with restic only', () =>
    world.follow('docs/guide/restoring.md'));
});

test('every example of a whole configuration is valid', async () => {
  await using directory = await tempDir();
  let count = 0;
  for (const block of pages().flatMap(blocksOf)) {
    if (block.language !== 'yaml' || !/^version: 1$/m.test(block.text)) continue;
    const file = directory.join(`${count++}.yaml`);
    await writeFile(file, block.text, { mode: 0o600 });
    await assert.doesNotReject(loadConfiguration({ path: file, env: {}, cwd: directory.path }), where(block));
  }
  assert.ok(count > 4);
});

test('every part of a configuration is valid in its place', async () => {
  await using directory = await tempDir();
  let count = 0;
  for (const block of pages().flatMap(blocksOf)) {
    if (block.language !== 'yaml' || !block.text.startsWith('storages:')) continue;
    const file = directory.join(`${count++}.yaml`);
    await writeFile(file, `version: 1\nrepository: { password: { env: X } }\n${block.text}`, { mode: 0o600 });
    await assert.doesNotReject(loadConfiguration({ path: file, env: {}, cwd: directory.path }), where(block));
  }
  assert.ok(count > 2);
});

test('every command that is mentioned exists, with the options given to it', async () => {
  const wrong: string[] = [];
  for (const { page, line, words } of pages().flatMap(mentionsIn)) {
    const names = words.filter((word) => !word.startsWith('-')).filter(skipValues(words));
    if (!/^[a-z]/.test(names[0] ?? '')) continue;
    const found = findCommand(names, registry);
    if (found.kind === 'unknown') wrong.push(`${page}:${line} there is no command "${names.join(' ')}"`);
    if (found.kind !== 'command') continue;
    const { default: command } = await found.registration.load();
    const known = new Set(
      Object.entries({ ...GLOBAL_OPTIONS, ...command.options }).flatMap(([key, { short }]) => [
        flagName(key),
        ...(short === undefined ? [] : [`-${short}`]),
      ]),
    );
    for (const word of words) {
      const flag = /^(--?[a-z][a-z-]*)/.exec(word)?.[1];
      if (flag !== undefined && !known.has(flag))
        wrong.push(`${page}:${line} ${found.registration.name} has no ${flag}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the page of commands is what the commands say (scripts/command-reference.ts writes it)', async () => {
  assert.equal(readPage('docs/guide/commands.md'), await commandPage(registry));
});

test('the page of commands is not the only one that explains a command', () => {
  const texts = pages().filter((page) => page.startsWith('docs/guide/') && !page.endsWith('commands.md'));
  const prose = texts.map(readPage).join('\n');
  const missing = registry.filter(({ name }) => !new RegExp(`holdfast ${name}\\b|\`${name}\\b`).test(prose));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

/** Words that are the value of `--config` or `--app`, not the name of a command. */
function skipValues(words: readonly string[]): (word: string) => boolean {
  const values = new Set(words.filter((_, at) => ['--config', '--app'].includes(words[at - 1] ?? '')));
  return (word) => !values.has(word);
}

function where({ page, line }: Block): string {
  return `${page}:${line}`;
}

type Names = readonly (readonly [said: string, here: string])[];

/** A machine like the one the pages speak of: a server with a clinic's database, its files, and directories for storages. */
class World {
  readonly #directory: TempDir;
  readonly #server: TestServer;
  /** What a page says → what it is here. */
  readonly #names: Names;
  readonly #cwd: string;

  private constructor(directory: TempDir, server: TestServer, names: Names) {
    this.#directory = directory;
    this.#server = server;
    this.#names = names;
    this.#cwd = directory.path;
  }

  static async make(): Promise<World> {
    const directory = await tempDir({ prefix: 'hf-docs', open: true });
    const server = await startPostgres({ major: MAJOR });
    const programs = await programsReadableBy(await programsFor(MAJOR, { path: process.env.PATH }), serverAccount());
    const place = (path: string): readonly [string, string] => [path, join(directory.path, path)];
    const world = new World(directory, server, [
      ...['/srv/', '/etc/holdfast/', '/etc/quick', '/var/backups/', '/mnt/', '/root/rescue/', '/tmp/restored.log'].map(
        place,
      ),
      [`/usr/lib/postgresql/${MAJOR}/bin`, programs.bin],
      ['127.0.0.1:5432', `127.0.0.1:${new URL(server.url({ tcp: true })).port}`],
      ['5499', String(await freePort())],
    ]);
    await world.#furnish();
    return world;
  }

  async remove(): Promise<void> {
    await this.#server.stop('immediate');
    await this.#directory.remove();
  }

  /** Does what a page says, from its top to its end: writes its files, runs its SQL and its commands. */
  async follow(page: string): Promise<void> {
    let done = 0;
    for (const block of blocksOf(page)) {
      const file = block.words.find((word) => word.startsWith('file='))?.slice('file='.length);
      if (file !== undefined) await this.#write(this.#here(file), this.#here(block.text));
      if (!block.words.includes('run')) continue;
      done++;
      if (block.language === 'sql') await this.#server.sql(block.text);
      else await this.#shell(block);
    }
    assert.ok(done > 3, `${page} has examples that are run`);
  }

  async #shell(block: Block): Promise<void> {
    const expected = Number(block.words.find((word) => word.startsWith('exit='))?.slice('exit='.length) ?? 0);
    const script = `set -eu\ncd '${this.#cwd}'\n${this.#here(block.text)}\n`;
    const path = `${dirname(HOLDFAST)}:${process.env.PATH}`;
    const env = { PATH: path, HOLDFAST_CONFIG: this.#here(configOf(block)), NO_COLOR: '1', PGPASSWORD: '' };
    const result = await run('bash', ['-c', script], { env });
    assert.equal(result.code, expected, `${where(block)}\n${block.text}\n${result.stdout}\n${result.stderr}`);
  }

  #here(text: string): string {
    return this.#names.reduce((changed, [said, here]) => changed.replaceAll(said, here), text);
  }

  async #furnish(): Promise<void> {
    await this.#server.sql('CREATE DATABASE clinic');
    await this.#server.sql(
      `CREATE TABLE patients (id serial PRIMARY KEY, name text, photo text);
       INSERT INTO patients (name, photo) SELECT 'Patient ' || i, 'photos/' || i || '.jpg' FROM generate_series(1, 20) i`,
      'clinic',
    );
    for (let i = 1; i <= 20; i++) await this.#write(this.#here(`/srv/clinic/media/photos/${i}.jpg`), `picture ${i}`);
    await this.#write(
      this.#here('/srv/clinic/compose.yaml'),
      'services: { web: { environment: { SECRET_KEY: abc123xyz } } }\n',
    );
    await mkdir(dirname(this.#here('/tmp/restored.log')), { recursive: true, mode: 0o777 });
    await chmod(dirname(this.#here('/tmp/restored.log')), 0o777);
    await chmod(this.#here('/srv/'), 0o755);
  }

  async #write(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** Each page has a configuration of its own. */
function configOf({ page }: Block): string {
  return page === 'README.md' ? '/etc/quick/holdfast.yaml' : '/etc/holdfast/holdfast.yaml';
}
