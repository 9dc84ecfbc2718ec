/** Services that several test files share are started once here; their addresses reach the tests through the environment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './checks.ts';

export interface Services {
  /** For the environment of every test file. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const S3_PROGRAM = join(ROOT, 'test/support/s3/main.ts');
/** The first line it prints comes within this time: packages may have to be installed before. */
const S3_WITHIN_MS = 10 * 60_000;
const NONE: Services = { env: {}, stop: async () => {} };

/** Starts what `files` use. Where that cannot be had, the tests that need it skip themselves, with the reason. */
export async function startServices(files: readonly string[], say: (line: string) => void): Promise<Services> {
  const usesS3 = files.some((file) => readFileSync(join(ROOT, file), 'utf8').includes('support/s3/shared'));
  if (!usesS3) return NONE;
  const started = performance.now();
  const child = spawn(process.execPath, [S3_PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.stdin.end();
    await exited;
  };
  const giveUp = setTimeout(() => child.kill(), S3_WITHIN_MS);
  const address = await firstLine(child.stdout);
  clearTimeout(giveUp);
  const { skip } = JSON.parse(address ?? '{"skip":"the service ended without a word"}') as { skip?: string };
  if (skip !== undefined) {
    say(`Services: no S3: ${skip}`);
    await stop();
    return NONE;
  }
  say(`Services: S3  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return { env: { HOLDFAST_TEST_S3: address! }, stop };
}

/** The first line of `output`, or undefined when it ends without one. */
async function firstLine(output: NodeJS.ReadableStream): Promise<string | undefined> {
  for await (const line of createInterface({ input: output })) return line;
  return undefined;
}
