/** Pages of an incremental backup on their way: each is checked to be what its place says, so that none ends up in a wrong one. */
import { Failure } from '../../base/failure.ts';
import type { DamagedPages } from '../../postgres/damage.ts';
import { type IncrementalFile, SEGMENT_PAGES } from '../../postgres/incremental-file.ts';
import type { Lsn } from '../../postgres/lsn.ts';
import { isNewPage, pageChecksum, pageLsn, statedChecksum } from '../../postgres/page.ts';
import { mainForkOf } from '../../postgres/relation-path.ts';

export class PageCheck {
  /** How many pages came. */
  pages = 0;
  readonly #enabled: boolean;
  readonly #startLsn: Lsn;
  readonly #wrong = new Map<string, number>();

  /** Pages changed since `startLsn` may be torn: the log mends them. */
  constructor(enabled: boolean, startLsn: Lsn) {
    this.#enabled = enabled;
    this.#startLsn = startLsn;
  }

  async *of(path: string, file: IncrementalFile): AsyncGenerator<Buffer, void, undefined> {
    const first = (mainForkOf(path)?.segment ?? 0) * SEGMENT_PAGES;
    let i = 0;
    for await (const page of file.pages()) {
      this.#check(path, page, first + (file.blocks[i++] as number));
      yield page;
    }
  }

  /** Throws `postgres_protocol` when a page was wrong of which the server had said nothing. */
  compare(reported: readonly DamagedPages[]): void {
    const known = new Set(reported.map(({ path }) => path));
    for (const [path, block] of this.#wrong) {
      if (known.has(path)) continue;
      throw new Failure('postgres_protocol', `Page ${block} of ${path} arrived with a wrong checksum.`);
    }
  }

  #check(path: string, page: Buffer, block: number): void {
    this.pages++;
    if (!this.#enabled || isNewPage(page) || pageLsn(page) >= this.#startLsn) return;
    if (statedChecksum(page) !== pageChecksum(page, block)) this.#wrong.set(path, block);
  }
}
