/** The remarks of a run: bounded, each told once. */
import type { SourceNotice } from '../../sources/entry.ts';

export type RunNotice = SourceNotice & { readonly source: string };

/** A notice more is only counted: a source with a million unreadable files must not fill the memory or the manifest. */
const MAX_NOTICES = 10_000;

/** What a point lacks, or holds in a bad state. */
const BAD: readonly SourceNotice['kind'][] = ['unreadable', 'damaged'];

export class Notices {
  readonly #listed: RunNotice[] = [];
  readonly #known = new Set<string>();
  #unlisted = 0;
  #unlistedBad = false;
  #bad = false;

  /** Whether anything could not be read whole. */
  get anyBad(): boolean {
    return this.#bad;
  }

  /** Returns whether it is worth telling: a source may be read twice and then says some things twice. */
  add(notice: RunNotice): boolean {
    const key = `${notice.source}\0${notice.kind}\0${notice.item}`;
    if (this.#known.has(key)) return false;
    const isBad = BAD.includes(notice.kind);
    this.#bad ||= isBad;
    if (this.#listed.length < MAX_NOTICES) {
      this.#known.add(key);
      this.#listed.push(notice);
      return true;
    }
    this.#unlisted++;
    this.#unlistedBad ||= isBad;
    return false;
  }

  /** All of them, and how many are not listed. */
  list(): RunNotice[] {
    if (this.#unlisted === 0) return [...this.#listed];
    const reason = `${this.#unlisted} more remarks are not listed`;
    return [...this.#listed, { source: '', kind: this.#unlistedBad ? 'unreadable' : 'note', item: 'more', reason }];
  }
}
