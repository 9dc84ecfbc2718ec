/** A `holdfast` command that stays, beside the story, as a service would run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HOLDFAST = fileURLToPath(new URL('../bin/holdfast', import.meta.url));

/** Runs until disposed; what it says goes to `log`. */
export class Background implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(config: string, words: readonly string[], log: string) {
    const output = openSync(log, 'a', 0o600);
    const env = { ...process.env, HOLDFAST_CONFIG: config };
    this.#child = spawn(HOLDFAST, words, { stdio: ['ignore', output, output], env });
    closeSync(output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}
