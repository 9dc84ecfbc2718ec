import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { SMALL_CLINIC } from '../../demo/clinic.ts';
import { fillDatabase, TABLES } from '../../demo/database.ts';
import { workForADay } from '../../demo/day.ts';
import { type ClinicFile, generateFiles } from '../../demo/files.ts';
import { differingFiles, proveFiles, proveTables, rowsWithoutTheirFile } from '../../demo/proof.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const clinic = { ...SMALL_CLINIC, megabytes: 3 };

describe("the clinic's database", () => {
  let dir: TempDir;
  let server: TestServer;
  let client: pg.Client;
  let files: ClinicFile[];
  before(async () => {
    dir = await tempDir();
    server = await startPostgres({ major: 17 });
    files = await generateFiles(dir.path, clinic);
    client = await connect('one', clinic.seed);
  });
  after(async () => {
    await client.end();
    await server.stop();
    await dir.remove();
  });

  /** A new database of this name, filled. */
  async function connect(database: string, seed: number): Promise<pg.Client> {
    await server.sql(`create database ${database}`);
    const connection = new pg.Client(server.url({ database }));
    await connection.connect();
    await fillDatabase(connection, { ...clinic, seed }, files);
    return connection;
  }

  test('every table has rows, as many patients and visits as asked for', async () => {
    const tables = await proveTables(client);
    for (const table of TABLES) assert.ok(tables[table].rows > 0, table);
    assert.equal(tables.patients.rows, clinic.patients);
    assert.equal(tables.encounters.rows, clinic.encounters);
  });

  test('the same seed fills the same rows, another seed others', async () => {
    const same = await connect('two', clinic.seed);
    assert.deepEqual(await proveTables(same), await proveTables(client));
    await same.end();
    const other = await connect('three', clinic.seed + 1);
    assert.notEqual((await proveTables(other)).patients.sum, (await proveTables(client)).patients.sum);
    await other.end();
  });

  test('every row that names a file has it, and a file that is gone is missed', async () => {
    const proof = await proveFiles(dir.path);
    assert.deepEqual(await rowsWithoutTheirFile(client, proof), []);
    const photo = files.find((file) => file.kind === 'photo')!.path;
    const without = new Map([...proof.sha256].filter(([path]) => path !== photo));
    assert.deepEqual(await rowsWithoutTheirFile(client, { ...proof, sha256: without }), [photo]);
  });

  test('one changed value changes the sum of its table and of no other', async () => {
    const was = await proveTables(client);
    await client.query('begin');
    await client.query(`update patients set phone = phone || '0' where id = 7`);
    const is = await proveTables(client);
    await client.query('rollback');
    assert.deepEqual(
      TABLES.filter((table) => was[table].sum !== is[table].sum),
      ['patients'],
    );
  });

  test('a day of work adds visits and files, changes and removes rows, overwrites a signature, and keeps rows and files in step', async () => {
    const tables = await proveTables(client);
    const before = await proveFiles(dir.path);
    const day = await workForADay(client, dir.path, clinic);
    const after = await proveFiles(dir.path);
    const now = await proveTables(client);

    assert.equal(now.encounters.rows, tables.encounters.rows + day.visits);
    assert.equal(now.appointments.rows, tables.appointments.rows - day.appointmentsDeleted);
    for (const amount of [day.visits, day.newFiles.length, day.phonesChanged, day.appointmentsDeleted])
      assert.ok(amount > 0);
    const changed = differingFiles(before, after);
    assert.equal(changed.length, day.newFiles.length + 1);
    assert.equal(changed.filter((path) => before.sha256.has(path) && path.startsWith('signatures/')).length, 1);
    assert.deepEqual(await rowsWithoutTheirFile(client, after), []);
  });

  test('the application can go on inserting rows', async () => {
    const insert = `insert into tenants (slug, name, city) values ('sur', 'Sur', 'Cádiz') returning id`;
    const { rows } = await client.query<{ id: number }>(insert);
    assert.equal(rows[0]?.id, 4);
  });
});
