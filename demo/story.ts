/** The demonstration, act by act: a clinic, restore points and the log in three storages, a disaster, a wrong statement, and everything back. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { formatBytes } from '../src/base/sizes.ts';
import { secondBetween } from './archive.ts';
import { Background } from './background.ts';
import { type Clinic, PRACTITIONERS } from './clinic.ts';
import { Commands, programPath } from './commands.ts';
import { fillDatabase } from './database.ts';
import { workAfterHours, workForADay } from './day.ts';
import { deleteTooMuch, dropTables, rot, wipe } from './disaster.ts';
import { generateFiles } from './files.ts';
import type { Narrator } from './narrate.ts';
import {
  differingFiles,
  type FilesProof,
  proveFiles,
  proveTables,
  rowsWithoutTheirFile,
  type TableProof,
} from './proof.ts';
import { createServer, DATABASE, type DemoServer, serverUrl, startServer, stopServer, withClient } from './server.ts';
import { ServiceAct } from './service.ts';
import { type Stage, setStage } from './stage.ts';

/** What must be back in the end. */
interface Proof {
  readonly tables: Readonly<Record<string, TableProof>>;
  readonly files: FilesProof;
}

/** Plays the whole story in `root`, which must not exist. Throws when anything is not as it should be. */
export async function play(root: string, clinic: Clinic, narrator: Narrator): Promise<void> {
  const stage = await setStage(root);
  const holdfast = new Commands(stage.config, narrator);

  const server = await openTheClinic(stage, clinic, narrator);

  narrator.act(
    'Protect it',
    'Three storages, each with a complete, encrypted copy. The log of the database goes there all the time; then the first restore point.',
  );
  narrator.command(`export HOLDFAST_CONFIG=${show(root)}/holdfast.yaml`);
  await holdfast.run(['init']);
  narrator.command('holdfast wal stream &');
  await using _archiver = new Background(stage.config, ['wal', 'stream'], stage.walLog);
  await holdfast.run(['backup', '--label', 'first-evening']);

  narrator.act(
    'A day later',
    'New visits and photographs, changed rows, a deletion: the second point stores only what is new.',
  );
  await workADay(stage, server, clinic, narrator);
  await holdfast.run(['backup', '--label', 'second-evening']);
  await holdfast.run(['points']);
  const lateVisits = await withClient(server, DATABASE, (client) => workAfterHours(client, clinic));
  narrator.say(`${lateVisits} more visits are written down after the point; only the log has them`);
  const before = await prove(stage, server);
  const lastGoodSecond = await withClient(server, DATABASE, secondBetween);

  await disaster(stage, server, narrator);

  narrator.act('What is left?', 'Every object is hashed where it lies. Exit status 4 says that there is damage.');
  await holdfast.run(['check'], [4]);
  await holdfast.run(['wal', 'events', '--since', '5m ago', '--min-rows', '100']);

  narrator.act(
    'Restore to the second before',
    'One command: the newest point before that second, then the log. What is rotten or missing in one storage is read from the next.',
  );
  await holdfast.run(['restore', '--at', lastGoodSecond, '--to', show(stage.restored)]);
  await putBack(stage, server, narrator);
  await compare(before, await prove(stage, server), server, narrator);

  narrator.act(
    'Heal the storages',
    'The wiped one is rebuilt, the rotten objects are replaced, byte for byte, from good copies.',
  );
  await using service = new ServiceAct(stage, holdfast, narrator);
  await service.begin(); // so early that something is due when its act begins
  await holdfast.run(['sync']);
  await holdfast.run(['check']);
  await holdfast.run(['backup', '--label', 'after-the-disaster']);

  await undoDeletion(stage, server, holdfast, narrator);

  narrator.act(
    'Prove it',
    'A real restore into a server of its own, which is dropped afterwards: every check, and the time that it takes.',
  );
  await holdfast.run(['prove', 'latest', '--report', show(stage.report)]);
  await holdfast.run(['status']);

  await service.play();
  narrator.end();
}

/** A wrong DELETE in the running database, undone by the rows of the second before it. Nothing else of the database is touched. */
async function undoDeletion(stage: Stage, server: DemoServer, holdfast: Commands, narrator: Narrator): Promise<void> {
  narrator.act('A wrong DELETE', 'The clinic works again. Somebody tidies up after a practitioner who left.');
  const before = await prove(stage, server);
  const second = await withClient(server, DATABASE, secondBetween);
  const leaver = PRACTITIONERS.at(-1)!;
  const visits = await withClient(server, DATABASE, (client) => deleteTooMuch(client, leaver.id));
  narrator.say(`${count(visits)} visits of ${leaver.name} are gone, with the rows of their photographs and reports`);
  await holdfast.run(['wal', 'events', '--since', '1m ago', '--min-rows', '100']);
  const where = ['--table', 'public.encounters', '--where', `practitioner_id = ${leaver.id}`, '--related'];
  const into = ['--merge-into', 'database', '--confirm', DATABASE, '--reversal', show(stage.undo)];
  await holdfast.run(['rows', '--at', second, ...where, ...into]);
  await compare(before, await prove(stage, server), server, narrator);
}

async function openTheClinic(stage: Stage, clinic: Clinic, narrator: Narrator): Promise<DemoServer> {
  narrator.act(
    'A clinic',
    'A PostgreSQL server of its own, patients and visits, photographs and reports as real files.',
  );
  const server = await createServer(stage.database, randomBytes(18).toString('base64url'));
  await writeFile(stage.databaseUrl, serverUrl(server), { mode: 0o600 });
  const files = await generateFiles(stage.media, clinic, ({ files, bytes, totalBytes }) =>
    narrator.live(`files: ${files}, ${formatBytes(bytes)} of about ${formatBytes(totalBytes)}`),
  );
  await withClient(server, DATABASE, (client) =>
    fillDatabase(client, clinic, files, (rows) => narrator.live(`rows: ${count(rows)}`)),
  );
  const bytes = files.reduce((total, file) => total + file.bytes, 0);
  narrator.say(`${files.length} files, ${formatBytes(bytes)}, in ${show(stage.media)}`);
  const size = await withClient(server, DATABASE, async (client) => {
    const { rows } = await client.query<{ size: string }>('select pg_database_size(current_database())::text as size');
    return Number(rows[0]!.size);
  });
  narrator.say(
    `${count(clinic.patients)} patients, ${count(clinic.encounters)} visits: a database of ${formatBytes(size)}`,
  );
  return server;
}

async function workADay(stage: Stage, server: DemoServer, clinic: Clinic, narrator: Narrator): Promise<void> {
  const day = await withClient(server, DATABASE, (client) => workForADay(client, stage.media, clinic));
  narrator.say(
    `${day.visits} visits, ${day.newFiles.length} new ${day.newFiles.length === 1 ? 'file' : 'files'}, one new signature, ` +
      `${day.phonesChanged} patients changed, ${day.appointmentsDeleted} appointments deleted`,
  );
}

async function disaster(stage: Stage, server: DemoServer, narrator: Narrator): Promise<void> {
  narrator.act('Disaster', 'All on the same day.');
  await withClient(server, DATABASE, dropTables);
  narrator.say('every table is dropped');
  await stopServer(stage.database);
  await wipe(stage.database);
  narrator.say('the database server is stopped, its directory is empty');
  await wipe(stage.media);
  narrator.say('every photograph, report and signature is deleted');
  await wipe(stage.storage('nas'));
  narrator.say('storage "nas" is wiped');
  const rotten = await rot(stage.storage('local'), 3);
  narrator.say(`storage "local" has a bad disk: ${rotten} of its packs are rotten`);
}

/** Puts what was restored where the application expects it, and starts the database. */
async function putBack(stage: Stage, server: DemoServer, narrator: Narrator): Promise<void> {
  for (const [source, place] of [
    ['database', stage.database],
    ['media', stage.media],
  ] as const) {
    await rm(place, { recursive: true });
    await mkdir(join(place, '..'), { recursive: true });
    await rename(join(stage.restored, source), place);
  }
  await rm(stage.restored, { recursive: true });
  await startServer(server);
  narrator.say('the restored database is started from the restored directory');
}

async function prove(stage: Stage, server: DemoServer): Promise<Proof> {
  return { tables: await withClient(server, DATABASE, proveTables), files: await proveFiles(stage.media) };
}

async function compare(before: Proof, after: Proof, server: DemoServer, narrator: Narrator): Promise<void> {
  narrator.act(
    'Is everything back?',
    'Rows counted and summed over their content, files hashed: before the disaster and now.',
  );
  const problems: string[] = [];
  const check = (holds: boolean, line: string) => {
    narrator.check(holds, line);
    if (!holds) problems.push(line);
  };
  for (const [table, was] of Object.entries(before.tables)) {
    const is = after.tables[table];
    const same = is?.rows === was.rows && is.sum === was.sum;
    check(same, `${table.padEnd(18)} ${count(was.rows).padStart(8)} rows${same ? '' : `, now ${is?.rows ?? 'none'}`}`);
  }
  const different = differingFiles(before.files, after.files);
  const total = `${count(before.files.files).padStart(8)} files, ${formatBytes(before.files.bytes)}`;
  check(
    different.length === 0,
    `${'media'.padEnd(18)} ${total}${different.length === 0 ? '' : `, ${different.length} differ`}`,
  );
  const orphans = await withClient(server, DATABASE, (client) => rowsWithoutTheirFile(client, after.files));
  check(orphans.length === 0, 'every row that names a file has it, with the SHA-256 that the row says');
  if (problems.length > 0) throw new Error(`Not everything is back: ${problems.join('; ')}`);
}

/** What to try next, in the directory that is left. */
export function nextCommands(root: string): string[] {
  const program = programPath();
  return [
    `export HOLDFAST_CONFIG=${show(root)}/holdfast.yaml`,
    `${program} status`,
    `${program} show latest`,
    `${program} proofs`,
    `${program} rows --at latest --table patients --to ${show(root)}/patients.csv`,
    `${program} ls latest /clinic/media/reports`,
    `${program} find '*.pdf'`,
    `${program} restore latest --to ${show(root)}/signatures --source media --path 'signatures/*'`,
    `${program} kit`,
  ];
}

function show(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
