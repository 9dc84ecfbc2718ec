/** The audit log compared with what was noted of it elsewhere: heads, and the entries of a copy of the catalog. */
import { type AuditHead, BEGINNING } from './audit.ts';
import type { CatalogDb } from './catalog.ts';

/** An entry as far as the chain goes. */
export interface AuditLink extends AuditHead {
  readonly previous: string;
}

export interface AuditDifference {
  /** The log is as it was up to here. */
  readonly same: number;
  /** The first head that does not fit: the log differs from here on at the latest. */
  readonly noted: AuditHead;
  /** Whether there is no entry of that number any more. */
  readonly missing: boolean;
}

/** What stands before the first entry: `BEGINNING`, unless the log came back from a copy that was too long to be kept whole. */
export async function beginningOf(db: CatalogDb): Promise<AuditHead> {
  const first = await db.selectFrom('audit').select(['seq', 'previous']).orderBy('seq').limit(1).executeTakeFirst();
  return first === undefined ? BEGINNING : { seq: first.seq - 1, hash: first.previous };
}

/** The first of the heads, a few hundred at most, that the log does not hold; undefined: it holds them all. */
export async function findDifference(db: CatalogDb, heads: readonly AuditHead[]): Promise<AuditDifference | undefined> {
  const beginning = await beginningOf(db);
  const before = heads.some(({ seq, hash }) => seq === beginning.seq && hash === beginning.hash) ? beginning.seq : 0;
  const sorted = heads.filter(({ seq }) => seq > before).sort((a, b) => a.seq - b.seq);
  const hashes = await hashesAt(db, [...new Set(sorted.map(({ seq }) => seq))]);
  const at = sorted.findIndex(({ seq, hash }) => hashes.get(seq) !== hash);
  if (at === -1) return undefined;
  const noted = sorted[at]!;
  return { same: sorted[at - 1]?.seq ?? before, noted, missing: !hashes.has(noted.seq) };
}

/** The number from which the log is another than `links`, where these tell; they may begin late and end early. */
export async function findFirstChange(db: CatalogDb, links: readonly AuditLink[]): Promise<number | undefined> {
  const [first, last] = [links[0]?.seq, links.at(-1)?.seq];
  if (first === undefined || last === undefined) return undefined;
  const rows = await db
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .where('seq', '>=', first)
    .where('seq', '<=', last)
    .execute();
  const hashes = new Map(rows.map(({ seq, hash }) => [seq, hash]));
  const changed = links.find(({ seq, hash }) => hashes.get(seq) !== hash);
  const before = changed?.seq === first && first > 1; // it may have begun before the copy does
  return before ? undefined : changed?.seq;
}

/** The entries in a copy of the catalog, oldest first. */
export function auditOfCopy(copy: string): readonly AuditLink[] {
  const begin = copy.indexOf('\n{"table":"audit",');
  if (begin === -1) return [];
  const [header = '', ...rows] = sectionOf(copy, begin + 1);
  const { columns } = JSON.parse(header) as { readonly columns: readonly string[] };
  const [seq, hash, previous] = ['seq', 'hash', 'previous'].map((name) => columns.indexOf(name)) as [
    number,
    number,
    number,
  ];
  const links = rows.map((row) => {
    const values = JSON.parse(row) as readonly unknown[];
    return { seq: Number(values[seq]), hash: String(values[hash]), previous: String(values[previous]) };
  });
  return links.sort((a, b) => a.seq - b.seq);
}

/** The line at `begin` and the rows after it. */
function sectionOf(copy: string, begin: number): string[] {
  const end = copy.indexOf('\n{', begin);
  return copy
    .slice(begin, end === -1 ? undefined : end)
    .split('\n')
    .filter((line) => line !== '');
}

async function hashesAt(db: CatalogDb, numbers: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (numbers.length === 0) return new Map();
  const rows = await db.selectFrom('audit').select(['seq', 'hash']).where('seq', 'in', numbers).execute();
  return new Map(rows.map(({ seq, hash }) => [seq, hash]));
}
