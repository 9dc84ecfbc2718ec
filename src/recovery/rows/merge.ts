/**
 * Rows of then, merged into the database of now: gathered, compared, written, and undoable, in one serializable transaction. What the plan
 * shows is what happens, or nothing happens: where somebody else changes the same rows meanwhile, the server ends the transaction and it
 * is tried again from the start.
 */
import { rm } from 'node:fs/promises';
import { Failure } from '../../base/failure.ts';
import type { ConnectionSettings } from '../../postgres/connection-settings.ts';
import { sqlstateOf } from '../../postgres/server-error.ts';
import { type Applied, applyStages } from './apply.ts';
import { readCatalog } from './catalog.ts';
import { createMissing, type DumpProgram } from './create.ts';
import { Gathering, type Sides } from './gather.ts';
import { refuseExisting, writeNewFile } from './new-file.ts';
import { planTable, type TablePlan } from './plan.ts';
import { displayName } from './quoting.ts';
import { beginReading } from './read.ts';
import { reversalScript } from './reversal.ts';
import { selectTables } from './selection.ts';
import { type MovedSequence, moveSequences } from './sequences.ts';
import { RowsSession } from './session.ts';

export interface MergeRequest {
  readonly past: ConnectionSettings;
  readonly now: ConnectionSettings;
  readonly tables: readonly string[];
  readonly schemas: readonly string[];
  readonly where: string | undefined;
  /** Rows that referenced the rows come too. */
  readonly related: boolean;
  /** Rows that differ become as they were. */
  readonly update: boolean;
  /** False: the application's triggers stay silent. */
  readonly triggers: boolean;
  /** Conflicts and collisions shown per table. */
  readonly show: number;
  /** Absent: a plan only, nothing changes. */
  readonly apply?: {
    /** Where the reversal script goes; must not exist. */
    readonly reversal: string;
    /** First lines of the script: which merge it was. */
    readonly title: readonly string[];
  };
  /** `pg_dump`, where a table has to be created from its definition then. */
  readonly dumpProgram: DumpProgram;
  readonly signal?: AbortSignal | undefined;
  /** Hears the plan before anything is written; again when the merge starts anew. */
  readonly onPlan?: (plan: MergePlan) => void | Promise<void>;
}

export interface MergePlan {
  /** Database that is merged into. */
  readonly database: string;
  readonly tables: readonly TablePlan[];
  readonly insert: number;
  readonly update: number;
  readonly conflicting: number;
  readonly identical: number;
  readonly blocked: number;
  readonly notes: readonly string[];
}

export interface MergeOutcome {
  readonly plan: MergePlan;
  /** Absent for a plan only, and when there was nothing to do. */
  readonly done?: {
    readonly inserted: number;
    readonly updated: number;
    /** Rows that triggers made different from what they were. */
    readonly altered: number;
    readonly sequences: readonly MovedSequence[];
    readonly reversal: string;
  };
}

const ATTEMPTS = 3;
/** The server is being stopped, or somebody ends the session: this may come before the commit or right after it. */
const ENDED = /^57P/;
/** Somebody else changed the same rows: serialization failure, deadlock. */
const BUSY = new Set(['40001', '40P01']);

/** Throws `rows_refused` with what stands in the way, `rows_busy` when others keep changing the same rows. */
export async function mergeRows(request: MergeRequest): Promise<MergeOutcome> {
  if (request.apply) await refuseExisting(request.apply.reversal);
  for (let attempt = 1; ; attempt++) {
    try {
      return await mergeOnce(request);
    } catch (error) {
      if (!BUSY.has(sqlstateOf(error))) throw error;
      if (attempt < ATTEMPTS) continue;
      throw new Failure(
        'rows_busy',
        `Others change the same rows: ${(error as Failure).message}. Nothing was merged.`,
        {
          hint: 'Try again when the application is quiet, or stop it for the time of the merge.',
          cause: error,
        },
      );
    }
  }
}

async function mergeOnce(request: MergeRequest): Promise<MergeOutcome> {
  const { signal } = request;
  await using past = await RowsSession.open(request.past, { signal, label: 'The database as it was' });
  await using now = await RowsSession.open(request.now, { signal, label: 'The database now' });
  await beginReading(past);
  await now
    .run(`BEGIN TRANSACTION ISOLATION LEVEL ${request.apply ? 'SERIALIZABLE' : 'REPEATABLE READ'} READ WRITE`)
    .catch(refuseStandby);
  if ((await now.value('SELECT pg_is_in_recovery()')) === 't') refuseStandby();
  const merge = new Merge(request, past, now);
  return await merge.run(); // before the sessions close
}

function refuseStandby(): never {
  throw new Failure('rows_refused', 'The database to merge into is a standby: it takes no rows.', {
    hint: 'Merge into its primary.',
  });
}

class Merge {
  readonly #request: MergeRequest;
  readonly #past: RowsSession;
  readonly #now: RowsSession;

  constructor(request: MergeRequest, past: RowsSession, now: RowsSession) {
    this.#request = request;
    this.#past = past;
    this.#now = now;
  }

  async run(): Promise<MergeOutcome> {
    const request = this.#request;
    const pastCatalog = await readCatalog(this.#past);
    const selected = selectTables(pastCatalog, request);
    const before = { past: this.#past, now: this.#now, pastCatalog };
    const missing = await createMissing(before, selected, request.dumpProgram);
    const sides: Sides = { ...before, nowCatalog: await readCatalog(this.#now) };
    const gathering = new Gathering(sides, request);
    await gathering.collect(selected);
    const created = new Set(gathering.stages.filter(({ table }) => missing.names.has(displayName(table))));
    const tables: TablePlan[] = [];
    for (const stage of gathering.stages) tables.push(await planTable(this.#now, stage, { ...request, created }));
    const plan = summary(sides.nowCatalog.database, tables, [...missing.notes, ...gathering.notes]);
    await request.onPlan?.(plan);
    if (!request.apply) return this.#leave(plan);
    refuseBlocked(plan);
    if (plan.insert + plan.update + created.size === 0) return this.#leave(plan);
    const applied = await applyStages(this.#now, sides.nowCatalog, gathering.stages, request);
    const sequences = await moveSequences(this.#now, gathering.stages);
    const script = reversalScript(this.#now, {
      ...request,
      catalog: sides.nowCatalog,
      applied,
      sequences,
      created,
      title: request.apply.title,
    });
    return { plan, done: await this.#commit(request.apply.reversal, script, applied, sequences) };
  }

  async #leave(plan: MergePlan): Promise<MergeOutcome> {
    await this.#now.run('ROLLBACK');
    return { plan };
  }

  /** The script is durable before the merge is. Refused by the server, the merge did not happen and the script goes. */
  async #commit(
    reversal: string,
    script: AsyncIterable<string>,
    applied: Applied,
    sequences: readonly MovedSequence[],
  ) {
    await writeNewFile(reversal, script);
    try {
      await this.#now.run('COMMIT');
    } catch (error) {
      const state = sqlstateOf(error);
      if (state !== '' && !ENDED.test(state)) {
        await rm(reversal, { force: true });
        throw error;
      }
      throw new Failure(
        'rows_uncertain',
        `The connection was lost while the merge was committed: ${(error as Failure).message}`,
        {
          hint: `Look whether the rows are there. ${reversal} undoes the merge if it happened, and changes nothing if it did not.`,
          cause: error,
        },
      );
    }
    const { inserted, updated, altered } = applied;
    return { inserted, updated, altered, sequences, reversal };
  }
}

function summary(database: string, tables: readonly TablePlan[], notes: readonly string[]): MergePlan {
  const sum = (pick: (table: TablePlan) => number) => tables.reduce((total, table) => total + pick(table), 0);
  return {
    ...{ database, tables, notes },
    insert: sum(({ insert }) => insert),
    update: sum(({ update }) => update),
    conflicting: sum(({ conflicting }) => conflicting),
    identical: sum(({ identical }) => identical),
    blocked: sum(({ blocked }) => blocked),
  };
}

function refuseBlocked({ tables, blocked }: MergePlan): void {
  if (blocked === 0) return;
  const table = tables.find((each) => each.blocked > 0)!;
  const [first] = table.collisions;
  const value = Object.entries(first?.value ?? {}).map(([name, text]) => `${name} = ${text}`);
  throw new Failure(
    'rows_refused',
    `${blocked} rows cannot come: another row of ${displayName(table)} has ${value.join(', ')} now, which must be unique (${first?.index}).`,
    { hint: 'Change or remove the row that is there now, or leave out the one that comes with --where.' },
  );
}
