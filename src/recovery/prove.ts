/**
 * Everything that is asked of a restored database before it counts as proven. The order matters: rows are counted before anything is
 * written to the copy, and the pages on the disk are read when every other check has had the server touch them.
 */
import type { Progress } from '../base/progress.ts';
import type { ExtensionFacts } from '../postgres/facts.ts';
import { type Assertion, checkAssertions } from './proof/assertions.ts';
import { checkCollations, checkExtensions } from './proof/catalogue.ts';
import type { Finding } from './proof/finding.ts';
import { checkForeignKeys } from './proof/foreign-keys.ts';
import { checkIndexes } from './proof/indexes.ts';
import { checkPages } from './proof/pages.ts';
import { checkRowCounts, type ExpectedRows } from './proof/row-counts.ts';
import { checkSequences } from './proof/sequences.ts';
import { type CheckWorld, listDatabases, serverVersion } from './proof/server.ts';
import { checkTables } from './proof/tables.ts';

export type { Assertion } from './proof/assertions.ts';
export { checkCommands } from './proof/commands.ts';
export { Collector, type Finding } from './proof/finding.ts';
export type { ExpectedRows } from './proof/row-counts.ts';
export type { CheckWorld } from './proof/server.ts';

export interface DatabaseExpectations {
  /** Undefined: the copy is of another moment than the manifest. */
  readonly rows: ExpectedRows | undefined;
  readonly extensions: readonly ExtensionFacts[];
}

export interface DatabaseFindings {
  /** Of the server that was started, for example `17.10`. */
  readonly version: string;
  readonly findings: readonly Finding[];
  readonly databases: readonly string[];
  readonly tables: number;
  readonly rows: number;
  readonly pages: number;
  /** Of all relation files. */
  readonly bytes: number;
}

/** The checks that hold for every database. Throws only when the copy cannot be asked at all. */
export async function checkDatabase(
  world: CheckWorld,
  expected: DatabaseExpectations,
  progress: Progress,
): Promise<DatabaseFindings> {
  const version = await serverVersion(world);
  const databases = await listDatabases(world);
  const findings: Finding[] = [];
  const told = async (title: string, work: () => Promise<Finding>): Promise<void> => {
    const finding = await step(progress, `prove:${title}`, `checking ${title}`, work);
    findings.push(finding);
  };
  let totals = { tables: 0, rows: 0, pages: 0, bytes: 0 };
  await told('row counts', async () => {
    const counted = await checkRowCounts(world, databases, expected.rows);
    totals = { ...totals, ...counted.totals };
    return counted.finding;
  });
  await told('foreign keys', () => checkForeignKeys(world, databases));
  await told('sequences', () => checkSequences(world, databases));
  await told('extensions', () => checkExtensions(world, databases, expected.extensions));
  await told('collations', () => checkCollations(world, databases));
  await told('indexes', () => checkIndexes(world, databases));
  await told('tables', () => checkTables(world, databases));
  await told('page checksums', async () => {
    const read = await checkPages(world);
    totals = { ...totals, ...read.totals };
    return read.finding;
  });
  return { version, findings, databases, ...totals };
}

/** The app's own assertions, in the database of this copy. */
export function askAssertions(world: CheckWorld, assertions: readonly Assertion[]): Promise<Finding | undefined> {
  return checkAssertions(world, assertions);
}

async function step(progress: Progress, name: string, title: string, work: () => Promise<Finding>): Promise<Finding> {
  progress({ type: 'step', step: name, title });
  const finding = await work();
  progress({ type: 'done', step: name, outcome: finding.outcome === 'passed' ? 'done' : finding.outcome });
  return finding;
}
