/** The headers of the pages of one log, as they come: each must be that of the next page of the same log. */
import type { Lsn } from '../lsn.ts';
import { LONG_PAGE_HEADER, PAGE_FLAG, SHORT_PAGE_HEADER } from './format.ts';
import { type PageHeader, readPageHeader, readSegmentHeader } from './page.ts';

export class PageHeaders {
  readonly #segmentSize: number;
  readonly #bytes = new Uint8Array(LONG_PAGE_HEADER);
  #length = 0;
  #needed = 0;
  #timeline = 0;
  #systemIdentifier: string | undefined;
  /** Of PostgreSQL; 0 before the first page. */
  major = 0;

  constructor(segmentSize: number) {
    this.#segmentSize = segmentSize;
  }

  /** Takes what belongs to the header of the page at `offset` (counted from the start of a segment): how many bytes. */
  take(bytes: Uint8Array, at: number, offset: number): number {
    if (this.#length === 0) this.#needed = offset % this.#segmentSize === 0 ? LONG_PAGE_HEADER : SHORT_PAGE_HEADER;
    const length = Math.min(this.#needed - this.#length, bytes.length - at);
    this.#bytes.set(bytes.subarray(at, at + length), this.#length);
    this.#length += length;
    return length;
  }

  /** The length of the header once all of it has come, else 0. The next `take` begins with another one. */
  complete(): number {
    if (this.#length < this.#needed) return 0;
    this.#length = 0;
    return this.#needed;
  }

  /** Whether the page has nothing in it, and is not the first of a segment. */
  get isEmpty(): boolean {
    return this.#needed === SHORT_PAGE_HEADER && this.#bytes.subarray(0, SHORT_PAGE_HEADER).every((byte) => byte === 0);
  }

  /** The header of the page at `address`, or why it is not the next one of this log. */
  read(address: Lsn): PageHeader | string {
    const header = readPageHeader(this.#bytes);
    const { major, flags, timeline } = header;
    if (major === undefined || flags > PAGE_FLAG.all) return 'This is no page of WAL.';
    if (header.address !== address) return 'The page belongs elsewhere in the log.';
    if (this.major !== 0 && major !== this.major) return 'The page was written by another version.';
    if (timeline === 0 || timeline < this.#timeline) return 'The page belongs to an older timeline.';
    const isFirst = this.#needed === LONG_PAGE_HEADER;
    if (((flags & PAGE_FLAG.long) !== 0) !== isFirst) return 'A segment begins elsewhere.';
    if (isFirst && !this.#isSameCluster()) return 'The segment belongs to another cluster.';
    this.major = major;
    this.#timeline = timeline;
    return header;
  }

  #isSameCluster(): boolean {
    const header = readSegmentHeader(this.#bytes);
    if (header === undefined || header.segmentSize !== this.#segmentSize) return false;
    this.#systemIdentifier ??= header.systemIdentifier;
    return this.#systemIdentifier === header.systemIdentifier;
  }
}
