/** A streaming standby of a test server, made from a backup that our own source took. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPostgresSource } from '../../../src/sources/postgres-source.ts';
import { tempDir } from '../temp.ts';
import { startPostgres, type TestServer } from './server.ts';
import { writeEntries } from './write-entries.ts';

export async function startStandby(
  primary: TestServer,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const dir = await tempDir({ prefix: 'hf-sb', open: true });
  const dataDir = dir.join('data');
  try {
    await writeEntries(openPostgresSource({ url: primary.url(), label: 'standby' }).entries(), dataDir);
    await writeFile(join(dataDir, 'standby.signal'), '');
    const { socketDir, port } = primary.instance;
    await appendFile(
      join(dataDir, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=${socketDir} port=${port} user=postgres'\n`,
    );
    const standby = await startPostgres({ major: primary.major, dataDir, settings });
    const stop: TestServer['stop'] = async (mode) => {
      await standby.stop(mode);
      await dir.remove();
    };
    return { ...standby, stop, [Symbol.asyncDispose]: () => stop('immediate') };
  } catch (error) {
    await dir.remove();
    throw error;
  }
}
