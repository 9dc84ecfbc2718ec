/** A machine like the one that the documentation speaks of, and a reader who does what a page says, from its top to its end. */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serverAccount } from '../../src/postgres/account.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { programsFor, programsReadableBy } from '../../src/postgres/programs.ts';
import { type Block, blocksOf } from './docs.ts';
import { HOLDFAST } from './holdfast.ts';
import { need } from './needs.ts';
import { startPostgres, type TestServer } from './postgres/server.ts';
import { run } from './run.ts';
import { type TempDir, tempDir } from './temp.ts';

const MAJOR = 17;

/** For `node:test`: why examples cannot be run here, or false. */
export async function examplesSkip(): Promise<false | string> {
  const { skip } = await need('restic', 'postgres15');
  return skip || (process.getuid?.() === 0 ? false : 'the examples are for root');
}

type Names = ReadonlyMap<string, string>;

/** A machine like the one the pages speak of: a server with a clinic's database, its files, and directories for storages. */
export class DocsWorld implements AsyncDisposable {
  readonly #directory: TempDir;
  readonly #server: TestServer;
  /** What a page says → what it is here. */
  readonly #names: Names;
  /** Any of what a page says. All are replaced at once: what one stands for here may look like another. */
  readonly #said: RegExp;
  readonly #cwd: string;

  private constructor(directory: TempDir, server: TestServer, names: Names) {
    this.#directory = directory;
    this.#server = server;
    this.#names = names;
    this.#said = new RegExp(
      [...names.keys()].map((said) => said.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'),
      'g',
    );
    this.#cwd = directory.path;
  }

  static async make(): Promise<DocsWorld> {
    const directory = await tempDir({ prefix: 'hf-docs', open: true });
    const server = await startPostgres({ major: MAJOR });
    const programs = await programsReadableBy(await programsFor(MAJOR, { path: process.env.PATH }), serverAccount());
    const place = (path: string): readonly [string, string] => [path, join(directory.path, path)];
    const names: Names = new Map([
      ...[
        '/srv/',
        '/etc/holdfast/',
        '/etc/quick',
        '/var/backups/',
        '/var/lib/holdfast/',
        '/mnt/',
        '/root/rescue/',
        '/tmp/restored.log',
      ].map(place),
      [`/usr/lib/postgresql/${MAJOR}/bin`, programs.bin],
      ['127.0.0.1:5432', `127.0.0.1:${new URL(server.url({ tcp: true })).port}`],
      ['5499', String(await freePort())],
      ['8420', String(await freePort())],
    ]);
    const world = new DocsWorld(directory, server, names);
    await world.#furnish();
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
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
    assert.ok(done > 1, `${page} has examples that are run`);
  }

  async #shell(block: Block): Promise<void> {
    const expected = Number(block.words.find((word) => word.startsWith('exit='))?.slice('exit='.length) ?? 0);
    const script = `set -eu\ncd '${this.#cwd}'\n${this.#here(block.text)}\n`;
    const path = `${dirname(HOLDFAST)}:${process.env.PATH}`;
    const env = { PATH: path, HOLDFAST_CONFIG: this.#here(configOf(block)), NO_COLOR: '1', PGPASSWORD: '' };
    const result = await run('bash', ['-c', script], { env });
    assert.equal(
      result.code,
      expected,
      `${block.page}:${block.line}\n${block.text}\n${result.stdout}\n${result.stderr}`,
    );
  }

  #here(text: string): string {
    return text.replace(this.#said, (said) => this.#names.get(said)!);
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
  const own: Readonly<Record<string, string>> = {
    'README.md': '/etc/quick/holdfast.yaml',
    'docs/guide/leave-it-running.md': '/etc/holdfast/service.yaml',
  };
  return own[page] ?? '/etc/holdfast/holdfast.yaml';
}
