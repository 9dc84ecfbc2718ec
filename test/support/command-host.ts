/** A process that runs the command lines it is sent, through the same shell as the program: see `here.ts`. Ends with whoever started it. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';
import type { SinkStream } from '../../src/cli/output/sink.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { HOLDFAST } from './holdfast.ts';

export interface CommandAsked {
  readonly id: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface CommandEnded {
  readonly id: number;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Keeps what is written to it. */
class Heard implements SinkStream {
  readonly #chunks: Buffer[] = [];

  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    this.#chunks.push(Buffer.from(chunk as Uint8Array));
    setImmediate(done);
    return true;
  }

  on(): void {}

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

process.on('disconnect', () => process.exit());
process.on('message', async ({ id, argv, env, cwd }: CommandAsked) => {
  const [stdout, stderr] = [new Heard(), new Heard()];
  const code = await runCommandLine({
    ...{ argv, env, cwd, stdout, stderr, clock: systemClock, signal: new AbortController().signal },
    build: { program: HOLDFAST, version, node: process.versions.node, platform: `${process.platform}-${process.arch}` },
  });
  process.send!({ id, code, stdout: stdout.text, stderr: stderr.text } satisfies CommandEnded);
});
