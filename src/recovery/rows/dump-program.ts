/** Finds pg_dump: beside server programs, in PATH. A newer one reads older servers, never the other way round. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findPrograms, type ProgramSearch } from '../../postgres/programs.ts';
import { runProgram } from '../../postgres/run-program.ts';

/** The path of a pg_dump for servers of `major`; undefined when there is none. */
export async function findPgDump(major: number, search: ProgramSearch): Promise<string | undefined> {
  const programs = await findPrograms(search);
  const clients = Array.from({ length: 5 }, (_, at) => `/usr/lib/postgresql/${major + at}/bin`);
  const path = (search.path ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
  for (const bin of [...programs.map((each) => each.bin), ...clients, ...path]) {
    const program = join(bin, 'pg_dump');
    if (existsSync(program) && (await majorOf(program)) >= major) return program;
  }
  return undefined;
}

async function majorOf(program: string): Promise<number> {
  const said = await runProgram(program, ['--version']).catch(() => undefined);
  return Number(/\(PostgreSQL\) (\d+)/.exec(said?.output ?? '')?.[1] ?? 0);
}
