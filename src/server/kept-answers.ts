/**
 * Pages of the catalog that many look at: one that is asked for again, while nothing was written to the catalog, is answered with the bytes of
 * before. Nobody sees anything older than the catalog: whoever asks has asked for its version first, each time.
 */
import { etagOf } from './etag.ts';

export interface MadeAnswer {
  readonly text: Uint8Array<ArrayBuffer>;
  /** From then on it is not true any more, also when nothing is written; ms since the epoch. Absent: time changes nothing. */
  readonly until?: number | undefined;
}

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
  readonly until: number;
}

/** A question: what is asked, and when. */
export interface Question {
  /** The same for all that have one answer. */
  readonly address: string;
  /** Of the catalog, asked for after the question came. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export class KeptAnswers {
  /** By address; the one asked for last comes last. */
  readonly #kept = new Map<string, Kept>();
  /** What is being made just now, for all who ask while nothing is written. */
  readonly #making = new Map<string, { readonly version: string; readonly answer: Promise<Kept> }>();
  #bytes = 0;

  /** What `make` makes, of the catalog and the address alone. */
  async answer(question: Question, make: () => Promise<MadeAnswer>): Promise<KeptAnswer> {
    const { address, version, now } = question;
    const known = this.#kept.get(address);
    if (known !== undefined && known.version === version && now < known.until) {
      this.#kept.delete(address);
      this.#kept.set(address, known);
      return known;
    }
    const begun = this.#making.get(address);
    if (begun !== undefined && begun.version === version) return begun.answer;
    const answer = this.#make(question, make);
    this.#making.set(address, { version, answer });
    try {
      return await answer;
    } finally {
      if (this.#making.get(address)?.answer === answer) this.#making.delete(address);
    }
  }

  async #make({ address, version }: Question, make: () => Promise<MadeAnswer>): Promise<Kept> {
    const { text, until = Number.POSITIVE_INFINITY } = await make();
    const made = { text, etag: etagOf(text), version, until };
    this.#drop(address);
    if (text.length <= LONGEST) this.#keep(address, made);
    return made;
  }

  #keep(address: string, answer: Kept): void {
    this.#kept.set(address, answer);
    this.#bytes += answer.text.length;
    while (this.#kept.size > ADDRESSES || this.#bytes > BYTES) this.#drop(this.#kept.keys().next().value!);
  }

  #drop(address: string): void {
    this.#bytes -= this.#kept.get(address)?.text.length ?? 0;
    this.#kept.delete(address);
  }
}
