/** The second half of a proof: everything that is asked of what was restored. */
import { asFailure } from '../../base/failure.ts';
import type { AppSettings } from '../../config/settings.ts';
import { askAssertions, Collector, checkCommands, checkDatabase, type Finding } from '../../recovery/prove.ts';
import type { RecoveryWorld } from '../../recovery/world.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { checkReferences } from '../backup/references.ts';
import type { DatabaseCopy } from './copies.ts';
import { type RestoredProofFiles, verifyFilesOf } from './files.ts';
import type { ProofCounts, ProofVersions } from './report.ts';

export interface ChecksRequest {
  readonly app: AppSettings;
  readonly copies: readonly DatabaseCopy[];
  readonly files: RestoredProofFiles | undefined;
  /** Where everything was restored to. */
  readonly directory: string;
  /** The databases are of a moment, not of their point: neither the manifest's rows nor its files are theirs. */
  readonly isMoment: boolean;
  /** For one query or one command, in milliseconds. */
  readonly limitMs: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Checked {
  readonly findings: readonly Finding[];
  readonly counts: ProofCounts;
  readonly postgres: ProofVersions['postgres'];
}

export async function checkEverything(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  request: ChecksRequest,
): Promise<Checked> {
  const findings: Finding[] = [];
  const postgres: Record<string, { original: string; started: string }> = {};
  const sums = { databases: 0, tables: 0, rows: 0, pages: 0, database_bytes: 0 };
  for (const copy of request.copies) {
    const { version, ...checked } = await checkCopy(world, copy, request);
    findings.push(...checked.findings);
    postgres[copy.source] = { original: recordOf(copy)?.facts.version ?? '', started: version };
    sums.databases += checked.databases.length;
    sums.tables += checked.tables;
    sums.rows += checked.rows;
    sums.pages += checked.pages;
    sums.database_bytes += checked.bytes;
  }
  const { files } = request;
  if (files !== undefined) findings.push(await verifyFilesOf(world, indexed, files));
  findings.push(...(await checkAllReferences(world, indexed, request)));
  findings.push(...(await appChecks(world, request)));
  const restored = files?.restored;
  return {
    findings,
    counts: { ...sums, files: restored?.files ?? 0, file_bytes: restored?.bytes ?? 0 },
    postgres,
  };
}

function checkCopy(world: RecoveryWorld, copy: DatabaseCopy, { isMoment, limitMs }: ChecksRequest) {
  const facts = recordOf(copy)?.facts;
  const rows =
    facts === undefined || isMoment
      ? undefined
      : {
          database: facts.database.name,
          tables: facts.tables,
          countedAt: facts.nextTransaction === undefined ? null : BigInt(facts.nextTransaction),
        };
  const extensions = facts === undefined || isMoment ? [] : facts.extensions;
  return checkDatabase(worldOf(world, copy, limitMs), { rows, extensions }, world.progress);
}

/** The app's own questions; its commands only where all of its files are there. */
async function appChecks(world: RecoveryWorld, request: ChecksRequest): Promise<Finding[]> {
  const { app, copies, files, directory, limitMs, environment } = request;
  const found: (Finding | undefined)[] = [];
  for (const copy of copies) {
    const asked = app.proof.assertions.filter(({ database }) => database === copy.source);
    found.push(await askAssertions(worldOf(world, copy, limitMs), asked));
  }
  found.push(unasked(world, request));
  if (files?.sample == null) {
    const commands = {
      app: app.name,
      directory: app.directory,
      environment: { ...addresses(copies), HOLDFAST_FILES: directory },
      inherited: environment,
      limitMs,
      clock: world.clock,
      signal: world.signal,
    };
    found.push(await checkCommands(commands, app.proof.commands));
  }
  return found.filter((finding) => finding !== undefined);
}

/** Assertions of databases that this point does not have. */
function unasked({ clock }: RecoveryWorld, { app, copies }: ChecksRequest): Finding | undefined {
  const left = app.proof.assertions.filter(({ database }) => !copies.some(({ source }) => source === database));
  if (left.length === 0) return undefined;
  const found = new Collector('assertions', app.name, 'assertions', clock);
  for (const { name, database } of left) found.skip(`Not asked, ${database} was not restored: ${name}`);
  return found.finish();
}

/** The first database's, and each by the name of its source where there are several. */
function addresses(copies: readonly DatabaseCopy[]): Record<string, string> {
  const all: Record<string, string> = {};
  const [first] = copies;
  if (first !== undefined) all.HOLDFAST_DATABASE_URL = first.sandbox.url();
  if (copies.length < 2) return all;
  for (const { source, sandbox } of copies)
    all[`HOLDFAST_DATABASE_URL_${source.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`] = sandbox.url();
  return all;
}

async function checkAllReferences(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  request: ChecksRequest,
): Promise<Finding[]> {
  const { app, copies } = request;
  if (app.references.length === 0) return [];
  const found = new Collector('references', app.name, 'rows', world.clock);
  for (const reference of app.references) {
    const copy = copies.find(({ source }) => source === reference.database);
    if (copy === undefined) found.note(`Not asked, ${reference.database} was not restored: ${reference.query}`);
    else await checkReference(world, indexed, { request, reference, copy, found });
  }
  return [found.finish()];
}

interface OneReference {
  readonly request: ChecksRequest;
  readonly reference: AppSettings['references'][number];
  readonly copy: DatabaseCopy;
  readonly found: Collector;
}

/** Looked up among the point's files, which were restored or drawn from. */
async function checkReference(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  { request: { files, isMoment }, reference: { query, source }, copy, found }: OneReference,
): Promise<void> {
  const root = files?.point.nodes.find(({ name }) => name.toString() === source)?.subtree;
  if (root === undefined) return found.problem(`The point has no files of "${source}": ${query}`);
  try {
    const asked = { query, source, url: copy.sandbox.url() };
    const { rows, missing, missingExamples } = await checkReferences(asked, root, indexed, world.signal);
    found.count(rows);
    if (missing === 0) return;
    const names = missingExamples.slice(0, 5).join(', ');
    const says = `${missing} of ${rows} rows name a file that is missing (${names}): ${query}`;
    if (isMoment) return found.note(`${says}. The files are of an earlier point than the rows.`);
    const before = files?.point.manifest?.references.find((each) => each.query === query && each.source === source);
    const known =
      before !== undefined && before.missing >= missing ? ' They were missing when the backup was made.' : '';
    found.problem(`${says}.${known}`);
  } catch (error) {
    world.signal.throwIfAborted();
    found.problem(`${query}: ${asFailure(error).message}`);
  }
}

function recordOf({ source, sandbox }: DatabaseCopy) {
  const record = sandbox.point.manifest?.sources[source];
  return record?.type === 'postgres' ? record : undefined;
}

function worldOf({ clock, signal }: RecoveryWorld, { source, sandbox }: DatabaseCopy, limitMs: number) {
  const copy = {
    source,
    url: (database?: string) => sandbox.url(database),
    directory: `${sandbox.directory}/${source}`,
  };
  return { copy, clock, signal, queryLimitMs: limitMs };
}
