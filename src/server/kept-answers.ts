/**
 * Pages of the catalog that many look at: one that is asked for again, while nothing was written to the catalog, is answered with the bytes of
 * before. Nobody sees anything older than the catalog: its version is asked for first, each time.
 */
import type { Catalog } from '../catalog/catalog.ts';
import { etagOf } from './etag.ts';

export interface KeptAnswer {
  readonly text: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** Addresses that are remembered, bytes of all that is kept, and of one answer. */
const ADDRESSES = 200;
const BYTES = 4 * 1024 * 1024;
const LONGEST = 512 * 1024;

interface Kept extends KeptAnswer {
  readonly version: string;
}

export class KeptAnswers {
  readonly #catalog: Catalog;
  /** By address; the one asked for last comes last. Undefined: it was asked for, once. */
  readonly #kept = new Map<string, Kept | undefined>();
  /** What is being made just now, for all who ask while nothing is written. */
  readonly #making = new Map<string, { readonly version: string; readonly answer: Promise<KeptAnswer> }>();
  #bytes = 0;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** What `make` makes, of the catalog and the address alone. */
  async answer(address: string, make: () => Promise<Uint8Array<ArrayBuffer>>): Promise<KeptAnswer> {
    const again = this.#kept.has(address);
    const version = again ? await this.#catalog.version() : undefined; // before reading: what is read may be newer, never older
    const known = this.#kept.get(address);
    if (known !== undefined && known.version === version) {
      this.#keep(address, known);
      return known;
    }
    const begun = this.#making.get(address);
    if (begun !== undefined && begun.version === version) return begun.answer;
    const answer = this.#make(address, version, make);
    if (version === undefined) return answer;
    this.#making.set(address, { version, answer });
    try {
      return await answer;
    } finally {
      if (this.#making.get(address)?.answer === answer) this.#making.delete(address);
    }
  }

  async #make(
    address: string,
    version: string | undefined,
    make: () => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<KeptAnswer> {
    const text = await make();
    const made = { text, etag: etagOf(text) };
    this.#keep(address, version === undefined || text.length > LONGEST ? undefined : { ...made, version });
    return made;
  }

  #keep(address: string, answer: Kept | undefined): void {
    this.#drop(address);
    this.#kept.set(address, answer);
    this.#bytes += answer?.text.length ?? 0;
    while (this.#kept.size > ADDRESSES || this.#bytes > BYTES) this.#drop(this.#kept.keys().next().value!);
  }

  #drop(address: string): void {
    this.#bytes -= this.#kept.get(address)?.text.length ?? 0;
    this.#kept.delete(address);
  }
}
