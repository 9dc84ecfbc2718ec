/** Extended attributes by row. The same set on many files, such as a security label, is kept once. */

export interface XattrValue {
  readonly name: string;
  readonly value: Uint8Array;
}

const MAX_SHARED = 4096;

export class Xattrs {
  readonly #byRow = new Map<number, readonly XattrValue[]>();
  readonly #shared = new Map<string, readonly XattrValue[]>();

  get size(): number {
    return this.#byRow.size;
  }

  set(row: number, xattrs: readonly XattrValue[]): void {
    if (xattrs.length > 0) this.#byRow.set(row, this.#share(xattrs));
  }

  entries(): Iterable<[row: number, xattrs: readonly XattrValue[]]> {
    return this.#byRow;
  }

  #share(xattrs: readonly XattrValue[]): readonly XattrValue[] {
    const key = xattrs.map(({ name, value }) => `${name}\0${Buffer.from(value).toString('latin1')}`).join('\0');
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    if (this.#shared.size < MAX_SHARED) this.#shared.set(key, xattrs);
    return xattrs;
  }
}
