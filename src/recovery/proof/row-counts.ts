/**
 * Every table of every database is counted, which reads all of its pages through the server. What the manifest counted exactly must
 * be the same, where it was counted in the state that the copy holds.
 */
import type { TableRows } from '../../postgres/facts.ts';
import type { SqlSession } from '../../postgres/sql.ts';
import type { Collector, Finding } from './finding.ts';
import { type Asking, ask, type CheckWorld, openSql, runCheck } from './server.ts';

/** What the manifest of the point counted. */
export interface ExpectedRows {
  readonly database: string;
  readonly tables: readonly TableRows[];
  /** The number of the next transaction as the counting transaction saw it; null where the manifest does not have it. */
  readonly countedAt: bigint | null;
}

interface RowTotals {
  readonly tables: number;
  readonly rows: number;
}

const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS quoted
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relispopulated
     AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
   ORDER BY 1, 2`;

/** Figures that differ by more than this factor, and are not small, are far off. */
const FAR_OFF = 2;
const FEW_ROWS = 1000;

/** `expected` undefined: the copy is of another moment than any manifest; rows are counted and told. */
export async function checkRowCounts(
  world: CheckWorld,
  databases: readonly string[],
  expected: ExpectedRows | undefined,
): Promise<{ readonly finding: Finding; readonly totals: RowTotals }> {
  const totals = { tables: 0, rows: 0 };
  const finding = await runCheck(world, 'row counts', 'tables', async (found) => {
    for (const database of databases) {
      await using sql = await openSql(world, database);
      const isSame = database === expected?.database && (await isSameState(sql, expected.countedAt));
      const counts = await countAll({ world, sql, database, found });
      totals.tables += counts.size;
      for (const rows of counts.values()) totals.rows += rows ?? 0;
      if (database === expected?.database) compare(expected, counts, isSame, found);
    }
    if (expected === undefined) found.note('Counted, not compared: no manifest tells the rows of this moment.');
    else if (!databases.includes(expected.database)) found.problem(`The database ${expected.database} is not there.`);
  });
  return { finding, totals };
}

/** Undefined for a table that could not be counted, or not in time; that is told already. */
async function countAll(asking: Asking): Promise<Map<string, number | undefined>> {
  const { sql, database, found } = asking;
  const counts = new Map<string, number | undefined>();
  for (const { schema, name, quoted } of await sql.rows(TABLES, [], 'Listing the tables')) {
    found.count();
    const rows = await ask(asking, `${database}: ${quoted}`, async () => {
      const [row] = await sql.rows(`SELECT count(*)::text AS n FROM ONLY ${quoted}`);
      return Number(row?.n);
    });
    counts.set(keyOf(String(schema), String(name)), rows);
  }
  return counts;
}

interface Tally {
  exact: number;
  estimated: number;
  unknown: number;
  moved: number;
}

function compare(
  expected: ExpectedRows,
  counts: ReadonlyMap<string, number | undefined>,
  isSame: boolean,
  found: Collector,
): void {
  const tally: Tally = { exact: 0, estimated: 0, unknown: 0, moved: 0 };
  for (const table of expected.tables) {
    const name = `${expected.database}: ${table.schema}.${table.name}`;
    const key = keyOf(table.schema, table.name);
    const rows = counts.get(key);
    if (rows === undefined && counts.has(key)) continue;
    if (rows === undefined) {
      if (isSame) found.problem(`${name}: the manifest has it, the copy does not give its rows.`);
      else
        found.note(`${name}: not in the copy; transactions ran between the end of the copy and the manifest's list.`);
    } else if (table.rows === null) tally.unknown += 1;
    else if (!table.exact) {
      tally.estimated += 1;
      remarkOnEstimate(name, table.rows, rows, found);
    } else if (rows === table.rows) tally.exact += 1;
    else if (isSame || isFarLess(rows, table.rows))
      found.problem(`${name}: ${rows} rows, the manifest counted ${table.rows}.`);
    else tally.moved += 1;
  }
  say(tally, found);
}

/**
 * Whether the rows were counted in exactly the state that the copy holds: no transaction completed in between. Every transaction that
 * writes takes a number, so one that began in between shows by the next number; one that was still open when the copy ended never
 * ended in the copy, which takes it for aborted.
 */
async function isSameState(sql: SqlSession, countedAt: bigint | null): Promise<boolean> {
  if (countedAt === null) return false;
  const [row] = await sql.rows(
    `SELECT next::text, EXISTS (SELECT FROM generate_series(greatest(3, next - 1000), next - 1) xid
                                 WHERE pg_xact_status(xid::text::xid8) = 'aborted') AS open
       FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int8 AS next) copy`,
    [],
    'Reading the number of the next transaction',
  );
  return BigInt(String(row?.next)) >= countedAt && row?.open === false;
}

/** Fewer by so much that what was written in the seconds between copy and count does not explain it. */
function isFarLess(rows: number, counted: number): boolean {
  return counted >= FEW_ROWS && rows * FAR_OFF < counted;
}

function remarkOnEstimate(name: string, estimate: number, rows: number, found: Collector): void {
  const [less, more] = estimate < rows ? [estimate, rows] : [rows, estimate];
  if (more < FEW_ROWS || more <= less * FAR_OFF) return;
  found.note(`${name}: ${rows} rows; the manifest's estimate was ${estimate}.`);
}

function say({ exact, estimated, unknown, moved }: Tally, found: Collector): void {
  found.note(`${exact} tables have exactly the rows that the manifest counted.`);
  if (estimated > 0) found.note(`${estimated} tables were only estimated for the manifest, which decides nothing.`);
  if (unknown > 0) found.note(`${unknown} tables have no figure in the manifest.`);
  if (moved === 0) return;
  found.note(
    `${moved} tables differ from the manifest, whose rows were counted a moment after the copy ended, with transactions in between: ` +
      'that decides nothing.',
  );
}

function keyOf(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}
