/** The configuration of a process that stays: read again when asked, and only taken when all of it holds. */
import type { Configuration } from '../config/configuration.ts';

export class LiveConfiguration {
  #current: Configuration;
  readonly #load: () => Promise<Configuration>;
  readonly #listeners = new Set<(now: Configuration) => void>();

  private constructor(current: Configuration, load: () => Promise<Configuration>) {
    this.#current = current;
    this.#load = load;
  }

  static async open(load: () => Promise<Configuration>): Promise<LiveConfiguration> {
    return new LiveConfiguration(await load(), load);
  }

  get current(): Configuration {
    return this.#current;
  }

  /** Throws what is wrong with the file; then the one before stays in force. */
  async reload(): Promise<void> {
    this.#current = await this.#load();
    for (const hear of this.#listeners) hear(this.#current);
  }

  onChange(hear: (now: Configuration) => void): void {
    this.#listeners.add(hear);
  }
}
