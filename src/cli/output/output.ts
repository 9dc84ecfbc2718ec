/**
 * Where a command prints. Results go to standard output, errors and remarks to standard error. With `--json` the same calls print
 * nothing but JSON. While a live progress region is on the terminal, other output moves it out of the way first.
 */
import { jsonDocument, jsonLine } from './json.ts';
import type { Sink } from './sink.ts';
import type { Style } from './style.ts';
import { type Column, tableLines, truncate } from './table.ts';

export type { Column } from './table.ts';

export interface OutputOptions {
  readonly json: boolean;
  /** With `json`: standard output is one document, and nothing else goes there. */
  readonly lists: boolean;
  readonly quiet: boolean;
  readonly style: Style;
  readonly errorStyle: Style;
}

export class Output {
  readonly json: boolean;
  readonly style: Style;
  readonly #out: Sink;
  readonly #err: Sink;
  readonly #options: OutputOptions;
  #liveLines = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(out: Sink, err: Sink, options: OutputOptions) {
    this.json = options.json;
    this.style = options.style;
    this.#out = out;
    this.#err = err;
    this.#options = options;
  }

  get isTerminal(): boolean {
    return this.#out.isTerminal;
  }

  /** Columns of the terminal; `Infinity` where output is not a terminal. */
  get width(): number {
    return this.#out.columns;
  }

  /** Whether nobody reads standard output any more: a long listing may stop. */
  get readerGone(): boolean {
    return this.#out.gone;
  }

  /** A line for people; with `--json` nothing (print a document or a summary instead). Make foreign names `printable` first. */
  line(text = ''): Promise<void> {
    return this.json ? Promise.resolve() : this.#write(`${text}\n`);
  }

  /** A table for people, cut to the terminal's width; with `--json` nothing. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<void> {
    if (this.json) return Promise.resolve();
    return this.#write(`${tableLines(rows, columns, { width: this.width, style: this.style }).join('\n')}\n`);
  }

  /** The one JSON document of a listing. For `--json` only; commands call it instead of printing lines. */
  document(value: unknown): Promise<void> {
    return this.#write(jsonDocument(value));
  }

  /** A JSON Line; `message_type` first. For `--json` only. Of a listing, `error` goes to standard error and the rest nowhere. */
  jsonLine(messageType: 'status' | 'error' | 'summary', fields: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#options.lists) {
      if (messageType !== 'error') return Promise.resolve();
      return this.error(jsonLine({ message_type: messageType, ...fields }).trimEnd());
    }
    return this.#write(jsonLine({ message_type: messageType, ...fields }));
  }

  /** The last JSON Line of a command that acts. For `--json` only. */
  summary(fields: Readonly<Record<string, unknown>>): Promise<void> {
    return this.jsonLine('summary', fields);
  }

  /** Bytes as they are (`cat`), waiting when the reader is slow. */
  raw(bytes: Uint8Array | string): Promise<void> {
    return this.#write(bytes);
  }

  /** Something the operator should know though the command goes on; to standard error, with `--json` an `error` line. */
  async warn(message: string, hint?: string): Promise<void> {
    if (this.json)
      return this.jsonLine('error', { severity: 'warning', message, ...(hint === undefined ? {} : { hint }) });
    const { errorStyle: style } = this.#options;
    await this.error(`${style.yellow('Warning:')} ${message}${hint === undefined ? '' : `\n  ${style.dim(hint)}`}`);
  }

  /** A remark that `--quiet` and `--json` leave out; to standard error. */
  async note(message: string): Promise<void> {
    if (!this.json && !this.#options.quiet) await this.error(message);
  }

  /** Text for standard error, as it is, in every mode. */
  error(text: string): Promise<void> {
    return this.#inOrder(async () => {
      await this.#drawLive([]);
      await this.#err.write(`${text}\n`);
    });
  }

  /** Replaces the live region at the bottom of the terminal by `lines`; empty removes it. Only on a terminal. */
  live(lines: readonly string[]): Promise<void> {
    return this.#inOrder(() => this.#drawLive(lines));
  }

  #write(chunk: string | Uint8Array): Promise<void> {
    return this.#inOrder(async () => {
      await this.#drawLive([]);
      await this.#out.write(chunk);
    });
  }

  async #drawLive(lines: readonly string[]): Promise<void> {
    const frame = lines.map((line) => `${truncate(line, this.width - 1)}\n`).join('');
    const back = this.#liveLines === 0 ? '' : `\u001b[${this.#liveLines}A\u001b[J`;
    this.#liveLines = lines.length;
    if (back !== '' || frame !== '') await this.#out.write(back + frame);
  }

  /** Whoever calls first writes first, also when nobody waits for the other's promise. */
  #inOrder(job: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(job);
    this.#queue = result.catch(() => {}); // whoever called hears of it
    return result;
  }
}
