/** One JSON document that is an array, printed as its elements come: a listing may have millions. */
import type { Output } from './output.ts';

export class JsonArray {
  readonly #output: Output;
  #any = false;

  constructor(output: Output) {
    this.#output = output;
  }

  async add(elements: readonly unknown[]): Promise<void> {
    if (elements.length === 0) return;
    const text = elements.map((element) => `  ${JSON.stringify(element)}`).join(',\n');
    await this.#output.raw(`${this.#any ? ',\n' : '[\n'}${text}`);
    this.#any = true;
  }

  async end(): Promise<void> {
    await this.#output.raw(this.#any ? '\n]\n' : '[]\n');
  }
}
