/** The checks that need no service: types, lint and format, architecture, dead code, WebAssembly, documentation. */
import { fileURLToPath } from 'node:url';
import { run } from '../../test/support/run.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const BIN = `${ROOT}/node_modules/.bin`;

export interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const script = (name: string, ...args: string[]) => ({
  command: process.execPath,
  args: [`${ROOT}/scripts/${name}`, ...args],
});

export const CHECKS: readonly Check[] = [
  { name: 'types', command: `${BIN}/tsc`, args: ['--noEmit'] },
  { name: 'lint and format', command: `${BIN}/biome`, args: ['check', '--error-on-warnings', '.'] },
  { name: 'architecture', ...script('check-architecture.ts') },
  { name: 'dead code', command: `${BIN}/knip`, args: ['--no-progress', '--no-config-hints'] },
  { name: 'WebAssembly is what its source gives', ...script('build-wasm.ts', '--check') },
  { name: 'documentation', ...script('check-docs.ts') },
];

export interface CheckResult {
  readonly passed: boolean;
  readonly output: string;
}

export async function runCheck({ command, args }: Check): Promise<CheckResult> {
  const done = await run(command, args, { cwd: ROOT, timeoutMs: 5 * 60_000 });
  return { passed: done.code === 0, output: `${done.stdout}${done.stderr}${done.timedOut ? 'timed out\n' : ''}` };
}
