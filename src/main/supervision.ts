/** The child's side of a supervised run: questions and answers as lines of JSON over a pipe that closes when the worker dies. */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Failure } from '../base/failure.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../base/json-object.ts';
import type { PersonsAnswer, PersonsNote, Supervision } from '../base/supervision.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Answer = JsonObject | undefined;

/** Undefined when no worker started this process. `onLost`: the worker is gone, whatever runs must end. */
export function supervision(env: Environment, onLost: (reason: Failure) => void): Supervision | undefined {
  const { HOLDFAST_SUPERVISED: fd, HOLDFAST_RUN: run } = env;
  if (fd === undefined || run === undefined || !/^\d{1,3}$/.test(fd)) return undefined;
  return new Pipe(Number(fd), run, onLost);
}

class Pipe implements Supervision {
  readonly run: string;
  readonly #socket: Socket;
  readonly #waiting: ((answer: Answer) => void)[] = [];
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
    answers.on('line', (line) => this.#waiting.shift()?.(parseJsonObject(line)));
    answers.on('error', () => this.#end());
  }

  async permit(step: string): Promise<void> {
    const answer = await this.#ask({ ask: 'permit', step });
    if (answer?.permit !== true) throw lost();
  }

  async confirm(step: number, question: string): Promise<PersonsAnswer> {
    const answer = await this.#ask({ ask: 'confirm', step, question });
    if (answer === undefined) throw lost();
    const { yes, by, note } = answer;
    return { yes: yes === true, by: String(by), note: typeof note === 'string' ? note : null };
  }

  async ready(step: number): Promise<readonly PersonsNote[]> {
    const answer = await this.#ask({ ask: 'ready', step });
    if (answer === undefined) throw lost();
    const notes = Array.isArray(answer.notes) ? answer.notes.filter(isJsonObject) : [];
    return notes.map(({ by, text }) => ({ by: String(by), text: String(text) }));
  }

  /** Answers come in the order of the questions. Undefined: the worker is gone. */
  async #ask(question: object): Promise<Answer> {
    if (this.#lost) return undefined;
    try {
      return await new Promise<Answer>((resolve) => {
        this.#waiting.push(resolve);
        // An answer is waited for, however little else goes on.
        this.#socket.ref();
        this.#socket.write(`${JSON.stringify(question)}\n`);
      });
    } finally {
      this.#socket.unref();
    }
  }

  #end(): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const answer of this.#waiting.splice(0)) answer(undefined);
    this.#onLost(lost());
  }
}

function lost(): Failure {
  return new Failure('run_lost', 'The worker that started this run is gone or no longer has it.', {
    hint: 'Nothing more was made visible or removed; whoever has the run now goes on.',
  });
}
