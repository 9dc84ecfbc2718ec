/** Paths of rows of a restore. Names are bytes, so paths are too. */
import { KIND, type RestoreColumns } from './restore-table.ts';

const SLASH = Buffer.from('/');
/** Directory paths kept; files come directory by directory, so few are enough. */
const KEPT = 512;

export class RestorePaths {
  readonly #columns: RestoreColumns;
  readonly #directories = new Map<number, Buffer>();
  readonly #base: Buffer;

  /** `base` is the target directory; without one, paths are relative to it. */
  constructor(columns: RestoreColumns, base: Uint8Array = Buffer.alloc(0)) {
    this.#columns = columns;
    this.#base = Buffer.from(base);
  }

  name(row: number): Buffer {
    return bytesOf(this.#columns, this.#columns.nameAt[row]!, this.#columns.nameLength[row]!);
  }

  path(row: number): Buffer {
    if (this.#columns.kind[row] === KIND.directory) return this.#directory(row);
    return join(this.#directory(this.#columns.parent[row]!), this.name(row));
  }

  /** For people; bytes that are no text show as replacement characters. */
  text(row: number): string {
    return this.path(row).toString();
  }

  #directory(row: number): Buffer {
    if (row === 0) return this.#base;
    const known = this.#directories.get(row);
    if (known !== undefined) return known;
    const missing = [row];
    let above = this.#columns.parent[row]!;
    while (above !== 0 && !this.#directories.has(above)) {
      missing.push(above);
      above = this.#columns.parent[above]!;
    }
    let path = this.#directories.get(above) ?? this.#base;
    for (const each of missing.reverse()) path = this.#keep(each, join(path, this.name(each)));
    return path;
  }

  #keep(row: number, path: Buffer): Buffer {
    if (this.#directories.size >= KEPT) this.#directories.clear();
    this.#directories.set(row, path);
    return path;
  }
}

/** What the symlink in `row` points to. */
export function symlinkTarget(columns: RestoreColumns, row: number): Buffer {
  return bytesOf(columns, columns.start[row]!, columns.count[row]!);
}

function join(directory: Buffer, name: Buffer): Buffer {
  return directory.length === 0 ? name : Buffer.concat([directory, SLASH, name]);
}

function bytesOf({ names }: RestoreColumns, at: number, length: number): Buffer {
  return Buffer.from(names.subarray(at, at + length));
}
