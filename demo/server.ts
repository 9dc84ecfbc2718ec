/**
 * The demonstration's database server. Unlike the servers that Holdfast itself starts it outlives the program, so that the clinic can
 * be played with afterwards; it listens on 127.0.0.1 only and asks for a password.
 */
import { existsSync } from 'node:fs';
import { chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { giveTo, type ServerAccount, serverAccount } from '../src/postgres/account.ts';
import { freePort } from '../src/postgres/free-port.ts';
import { initialiseCluster } from '../src/postgres/initialise.ts';
import { programsFor, programsReadableBy, type ServerPrograms } from '../src/postgres/programs.ts';
import { runProgram } from '../src/postgres/run-program.ts';

const MAJOR = 17;
const TRUSTING = 'host all postgres 127.0.0.1/32 trust\n';
const ASKING = 'host all all 127.0.0.1/32 scram-sha-256\n';
export const DATABASE = 'clinic';

export interface DemoServer {
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
}

/** Makes a cluster in `dataDir` with an empty database `clinic` and starts it. */
export async function createServer(dataDir: string, password: string): Promise<DemoServer> {
  const account = serverAccount();
  const programs = await demoPrograms(account);
  await initialiseCluster({ programs, dataDir, account, sync: false, hba: TRUSTING });
  const server: DemoServer = { dataDir, port: await freePort(), password };
  await startServer(server);
  await withClient(server, 'postgres', async (client) => {
    await client.query(`alter role postgres password ${client.escapeLiteral(password)}`);
    await client.query(`create database ${DATABASE}`);
  });
  await writeFile(join(dataDir, 'pg_hba.conf'), ASKING);
  await control(server, 'reload');
  return server;
}

/** Starts the server on its data directory, which is given to the account that it runs as. */
export async function startServer(server: DemoServer): Promise<void> {
  const account = serverAccount();
  if (account) await giveTo(account, server.dataDir);
  const log = logFile(server.dataDir);
  await writeFile(log, '', { flag: 'a' });
  if (account) await chown(log, account.uid, account.gid);
  const settings = [
    `-p ${server.port}`,
    '-c listen_addresses=127.0.0.1',
    "-c unix_socket_directories=''",
    '-c summarize_wal=on', // a backup then reads what has changed
  ];
  await control(server, 'start', '-l', log, '-o', settings.join(' '));
}

/** Stops the server of this data directory at once, when there is one. */
export async function stopServer(dataDir: string): Promise<void> {
  if (!existsSync(join(dataDir, 'postmaster.pid'))) return;
  await control({ dataDir }, 'stop', '-m', 'fast');
}

export function serverUrl({ port, password }: DemoServer, database = DATABASE): string {
  return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** Runs `work` with a connection to `database`. */
export async function withClient<T>(
  server: DemoServer,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(serverUrl(server, database));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Beside the data directory, not in it: what is in it becomes part of a backup. */
function logFile(dataDir: string): string {
  return `${dataDir}.log`;
}

async function control({ dataDir }: Pick<DemoServer, 'dataDir'>, ...args: readonly string[]): Promise<void> {
  const account = serverAccount();
  const programs = await demoPrograms(account);
  const done = await runProgram(join(programs.bin, 'pg_ctl'), ['-D', dataDir, '-w', ...args], { account });
  if (done.code === 0) return;
  const log = await readFile(logFile(dataDir), 'utf8').catch(() => '');
  throw new Error(`pg_ctl ${args[0]} failed for ${dataDir}:\n${done.output}${log.slice(-2000)}`);
}

async function demoPrograms(account: ServerAccount | undefined): Promise<ServerPrograms> {
  return await programsReadableBy(await programsFor(MAJOR), account);
}
