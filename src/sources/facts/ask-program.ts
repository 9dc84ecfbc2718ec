/** Asks a program for its version: started directly (no shell), with a deadline, and believed for one short line. */
import { execFile } from 'node:child_process';
import { printable } from '../../base/printable.ts';

const LONGEST_ANSWER = 200;
const MAX_OUTPUT = 64 * 1024;

export type Answer = { readonly text: string } | { readonly problem: string };

/** The first line that is not empty of what `argv` prints (on stdout, else on stderr). `timeoutMs`: it is killed after that. */
export function askProgram(argv: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
  const [program, ...args] = argv;
  if (program === undefined || program === '') return Promise.resolve({ problem: 'no command is given' });
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutMs,
      maxBuffer: MAX_OUTPUT,
      killSignal: 'SIGKILL',
      ...(signal ? { signal } : {}),
    } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error !== null) return resolve({ problem: problemOf(error, timeoutMs) });
      const line = firstLine(stdout) ?? firstLine(stderr);
      resolve(line === undefined ? { problem: 'it printed nothing' } : { text: line });
    });
    child.stdin?.on('error', () => {}); // a program may end without reading its input
    child.stdin?.end();
  });
}

export function firstLine(text: string): string | undefined {
  const line = text.split('\n').find((candidate) => candidate.trim() !== '');
  return line === undefined ? undefined : printable(line.trim().slice(0, LONGEST_ANSWER));
}

function problemOf(error: Error & { code?: unknown; killed?: boolean }, timeoutMs: number): string {
  if (error.name === 'AbortError') return 'it was interrupted';
  if (error.code === 'ENOENT') return 'there is no such program';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'it printed more than 64 KiB';
  if (error.killed) return `it did not end within ${timeoutMs / 1000} s`;
  return typeof error.code === 'number'
    ? `it ended with status ${error.code}`
    : `it cannot be run (${String(error.code)})`;
}
