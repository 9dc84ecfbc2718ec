/**
 * New clusters without `initdb` each time: within a run of the test command it makes one of each kind, and every server gets a copy with a
 * system identifier of its own. A test file that is run alone calls `initdb` for every server.
 */

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../../src/base/crc32c.ts';
import { type InitialiseOptions, initialiseCluster } from '../../../src/postgres/initialise.ts';
import { runOk } from '../run.ts';

/** The variable that names the directory for clusters to copy; the test command sets it. */
const CLUSTERS_VARIABLE = 'HOLDFAST_TEST_CLUSTERS';
/** Where the first page of a segment tells the system identifier. */
const IDENTIFIER_IN_SEGMENT = 24;
/** The control file's checksum comes after its content, whose length depends on the version. */
const LONGEST_CONTENT = 512;

type NewCluster = Pick<InitialiseOptions, 'programs' | 'dataDir' | 'account' | 'checksums' | 'walSegmentMiB' | 'hba'>;

/** Makes a cluster in `dataDir`, which must not be there. */
export async function newCluster({ hba, ...kind }: NewCluster): Promise<void> {
  const { dataDir } = kind;
  const clusters = process.env[CLUSTERS_VARIABLE];
  if (clusters === undefined) {
    await initialiseCluster({ ...kind, sync: false });
  } else {
    const original = await originalIn(clusters, kind);
    await runOk('cp', ['-a', '--reflink=auto', '--sparse=always', original, dataDir]);
    await giveIdentifier(dataDir);
  }
  if (hba !== undefined) await writeFile(join(dataDir, 'pg_hba.conf'), hba);
}

/** The cluster of this kind that is copied. Of two processes that make it at once, one throws its own away. */
async function originalIn(clusters: string, kind: NewCluster): Promise<string> {
  const { programs, checksums, walSegmentMiB } = kind;
  const path = join(clusters, `${programs.version}-${checksums ?? 'default'}-${walSegmentMiB ?? 'default'}`);
  if (existsSync(path)) return path;
  const draft = await mkdtemp(join(clusters, 'draft-'));
  await chmod(draft, 0o755);
  await initialiseCluster({ ...kind, dataDir: join(draft, 'data'), sync: false });
  await rename(join(draft, 'data'), path).catch((error: unknown) => {
    if (!existsSync(path)) throw error;
  });
  await rm(draft, { recursive: true });
  return path;
}

/** Gives a cluster that never ran another system identifier: in its control file, and in the log, which must tell the same. */
async function giveIdentifier(dataDir: string): Promise<void> {
  const path = join(dataDir, 'global/pg_control');
  const control = await readFile(path);
  const content = contentLength(control);
  const identifier = Buffer.from(control.subarray(0, 8));
  randomBytes(4).copy(identifier); // the upper half is the time of its making, in seconds
  identifier.copy(control);
  control.writeUInt32LE(crc32c(control.subarray(0, content)), content);
  await writeFile(path, control);
  const log = join(dataDir, 'pg_wal');
  for (const name of (await readdir(log)).filter((entry) => /^[0-9A-F]{24}$/.test(entry))) {
    await using segment = await open(join(log, name), 'r+');
    await segment.write(identifier, 0, 8, IDENTIFIER_IN_SEGMENT);
  }
}

function contentLength(control: Buffer): number {
  for (let length = 8; length <= LONGEST_CONTENT; length += 4) {
    if (crc32c(control.subarray(0, length)) === control.readUInt32LE(length)) return length;
  }
  throw new Error('no checksum found in the control file');
}
