/** Cuts a stream of text into lines, whatever its pieces are; a line without end is cut off instead of kept. */

const LONGEST = 4 * 1024 * 1024;

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = '';
  #tooLong = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#give(line);
    if (this.#rest.length <= LONGEST) return;
    this.#give(this.#rest);
    this.#rest = '';
    this.#tooLong = true;
  }

  /** The last line may have no end. */
  end(): void {
    if (this.#rest !== '') this.#give(this.#rest);
    this.#rest = '';
  }

  #give(line: string): void {
    if (!this.#tooLong) this.#onLine(line.slice(0, LONGEST));
    this.#tooLong = false;
  }
}
