/** The child's side of a supervised run: questions and answers as lines of JSON over a pipe that closes when the worker dies. */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Failure } from '../base/failure.ts';
import type { Supervision } from '../base/supervision.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Answer = (permitted: boolean) => void;

/** Undefined when no worker started this process. `onLost`: the worker is gone, whatever runs must end. */
export function supervision(env: Environment, onLost: (reason: Failure) => void): Supervision | undefined {
  const { HOLDFAST_SUPERVISED: fd, HOLDFAST_RUN: run } = env;
  if (fd === undefined || run === undefined || !/^\d{1,3}$/.test(fd)) return undefined;
  return new Pipe(Number(fd), run, onLost);
}

class Pipe implements Supervision {
  readonly run: string;
  readonly #socket: Socket;
  readonly #waiting: Answer[] = [];
  readonly #onLost: (reason: Failure) => void;
  #lost = false;

  constructor(fd: number, run: string, onLost: (reason: Failure) => void) {
    this.run = run;
    this.#onLost = onLost;
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.unref();
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
    const answers = createInterface({ input: this.#socket });
    answers.on('line', (line) => this.#waiting.shift()?.(isYes(line)));
    answers.on('error', () => this.#end());
  }

  async permit(step: string): Promise<void> {
    const permitted = !this.#lost && (await this.#ask(step));
    if (!permitted) throw lost();
  }

  #ask(step: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      // An answer is waited for, however little else goes on.
      this.#socket.ref();
      this.#socket.write(`${JSON.stringify({ ask: 'permit', step })}\n`);
    }).finally(() => this.#socket.unref()) as Promise<boolean>;
  }

  #end(): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const answer of this.#waiting.splice(0)) answer(false);
    this.#onLost(lost());
  }
}

function isYes(line: string): boolean {
  try {
    return (JSON.parse(line) as { permit?: unknown }).permit === true;
  } catch {
    return false;
  }
}

function lost(): Failure {
  return new Failure('run_lost', 'The worker that started this run is gone or no longer has it.', {
    hint: 'Nothing more was made visible or removed; whoever has the run now goes on.',
  });
}
