/** Runs `holdfast` the way a user does: as a program of its own that writes to the same terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Narrator } from './narrate.ts';

const HOLDFAST = fileURLToPath(new URL('../bin/holdfast', import.meta.url));

export class Commands {
  readonly #config: string;
  readonly #narrator: Narrator;

  constructor(config: string, narrator: Narrator) {
    this.#config = config;
    this.#narrator = narrator;
  }

  /** Shows and runs `holdfast args…`, and returns what it prints. */
  async output(args: readonly string[]): Promise<string> {
    this.#narrator.command(`holdfast ${args.map(quoted).join(' ')}`);
    const env = { ...process.env, HOLDFAST_CONFIG: this.#config };
    const child = spawn(HOLDFAST, [...args, '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'], env });
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    if (code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${String(code)}.`);
    return printed.trim();
  }

  /** Shows and runs `holdfast args…`; its output goes to the terminal. Throws unless it exits with one of `codes`. */
  async run(args: readonly string[], codes: readonly number[] = [0]): Promise<void> {
    this.#narrator.command(`holdfast ${args.map(quoted).join(' ')}`);
    const env = { ...process.env, HOLDFAST_CONFIG: this.#config };
    const child = spawn(HOLDFAST, args, { stdio: 'inherit', env });
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (code === null || !codes.includes(code)) {
      throw new Error(`holdfast ${args.join(' ')} ended with ${code ?? signal}; expected ${codes.join(' or ')}.`);
    }
  }
}

/** How the program is best called from the current directory. */
export function programPath(): string {
  const path = relative(process.cwd(), HOLDFAST);
  return path.startsWith('..') ? HOLDFAST : path;
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
