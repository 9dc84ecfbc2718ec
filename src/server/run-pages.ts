/**
 * Pages of runs as JSON. A run that is over stays as it is, and most of what is looked at are the newest pages, again and again: the texts of
 * runs that are over are kept, and only what is missing is read.
 */
import type { CatalogDb } from '../catalog/catalog.ts';
import { listRunMarks, OVER, type RunFilter, type RunMark, type RunRow, readRunRows } from '../catalog/runs.ts';

/** Texts that are kept, and the longest of them, in bytes: 8 MiB at the most, mostly 2. */
const KEPT = 2_000;
const LONGEST = 4_096;
const BEGIN = Buffer.from('{"items":[');
const COMMA = Buffer.from(',');

export class RunPages {
  readonly #db: CatalogDb;
  readonly #textOf: (row: RunRow) => string;
  /** By mark; the one used last comes last. */
  readonly #texts = new Map<string, Buffer>();

  constructor(db: CatalogDb, textOf: (row: RunRow) => string) {
    this.#db = db;
    this.#textOf = textOf;
  }

  /** In UTF-8. Throws `usage` for a cursor that no list gave. */
  async page(filter: RunFilter): Promise<Buffer<ArrayBuffer>> {
    const { marks, next } = await listRunMarks(this.#db, filter);
    const texts = marks.map((mark) => this.#known(mark));
    if (texts.includes(undefined)) await this.#fill(marks, texts);
    const items = texts.filter((text) => text !== undefined);
    const end = Buffer.from(`],"next":${next === null ? 'null' : `"${next}"`}}`);
    return Buffer.concat([BEGIN, ...items.flatMap((text, at) => (at === 0 ? [text] : [COMMA, text])), end]);
  }

  #known(mark: RunMark): Buffer | undefined {
    if (!OVER.includes(mark.state)) return undefined;
    const key = keyOf(mark);
    const text = this.#texts.get(key);
    if (text === undefined) return undefined;
    this.#texts.delete(key);
    this.#texts.set(key, text);
    return text;
  }

  /** What was removed since it was listed stays undefined. */
  async #fill(marks: readonly RunMark[], texts: (Buffer | undefined)[]): Promise<void> {
    const missing = marks.filter((_, at) => texts[at] === undefined).map(({ id }) => id);
    const rows = new Map((await readRunRows(this.#db, missing)).map((row) => [row.id, row]));
    for (const [at, { id, fence }] of marks.entries()) {
      const row = rows.get(id);
      if (row === undefined) continue;
      const text = Buffer.from(this.#textOf(row));
      texts[at] = text;
      if (OVER.includes(row.state)) this.#keep(keyOf({ ...row, fence }), text);
    }
  }

  #keep(key: string, text: Buffer): void {
    if (text.length > LONGEST) return;
    this.#texts.set(key, text);
    if (this.#texts.size > KEPT) this.#texts.delete(this.#texts.keys().next().value!);
  }
}

/** A database that fell back to an earlier moment lets a run end anew: then with another lease, or at another time. */
function keyOf({ id, state, fence, finished_at: at }: RunMark): string {
  return `${id} ${state} ${fence} ${at}`;
}
