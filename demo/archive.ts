/** The WAL archive of the demonstration: `holdfast wal stream` as a program beside the story, as a service would run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClientBase } from 'pg';

const HOLDFAST = fileURLToPath(new URL('../bin/holdfast', import.meta.url));

/** Receives until disposed; what it says goes to `log`. */
export class Archiver implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(config: string, log: string) {
    const output = openSync(log, 'a', 0o600);
    const env = { ...process.env, HOLDFAST_CONFIG: config };
    this.#child = spawn(HOLDFAST, ['wal', 'stream'], { stdio: ['ignore', output, output], env });
    closeSync(output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}

/** Lets the clock of the server go on by more than a second, and tells the second before: what was committed is older, what follows is newer. */
export async function secondBetween(client: ClientBase): Promise<string> {
  await sleep(1100);
  const { rows } = await client.query<{ now: Date }>(`select date_trunc('second', clock_timestamp()) as now`);
  await sleep(1100);
  return rows[0]!.now.toISOString().replace('.000Z', 'Z');
}
