/** A command in a process of its own: its lines, its questions, its end. */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { parseJsonObject } from '../../base/json-object.ts';
import type { PersonsAnswer, PersonsNote } from '../../base/supervision.ts';
import { LineSplitter } from './lines.ts';

export interface ChildCommand {
  /** Words after the program. */
  readonly words: readonly string[];
  readonly runId: string;
}

export interface ChildListener {
  line(from: 'output' | 'errors', text: string): void;
  /** Before something becomes final. Never rejects. */
  permit(step: string): Promise<boolean>;
  /** A question to a person. Rejects when the run is over. */
  confirm(step: number, question: string): Promise<PersonsAnswer>;
  /** Resolves when the next step may begin. Rejects when the run is over. */
  ready(step: number): Promise<readonly PersonsNote[]>;
}

export interface ChildEnd {
  /** Null when a signal ended it, or it could not be started. */
  readonly status: number | null;
  readonly signal?: string;
  /** Why it could not be started. */
  readonly problem?: string;
}

export interface Child {
  /** Resolves when the process is gone and all it said was heard. */
  readonly ended: Promise<ChildEnd>;
  /** Asks for a clean stop. */
  interrupt(): void;
  /** Ends it and what it started, at once. */
  kill(): void;
}

export type StartChild = (command: ChildCommand, listener: ChildListener) => Child;

export interface Program {
  /** The program and its first words, such as node and the file of the command line. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

const SUPERVISION_FD = 3;

/** Starts real processes. They end by themselves when this process dies: the pipe they ask over closes. */
export function processes({ command: [file, ...first], env, cwd }: Program): StartChild {
  return ({ words, runId }, listener) => {
    const child = spawn(file, [...first, ...words], {
      cwd,
      env: { ...env, HOLDFAST_RUN: runId, HOLDFAST_SUPERVISED: String(SUPERVISION_FD) },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true, // a group of its own: Ctrl-C at the service's terminal is not for the run, and kill reaches what it started
    });
    listen(child.stdout as Readable, (text) => listener.line('output', text));
    listen(child.stderr as Readable, (text) => listener.line('errors', text));
    answer(child.stdio[SUPERVISION_FD] as (Readable & Writable) | null, listener);
    const ended = new Promise<ChildEnd>((resolve) => {
      child.on('error', (error) => resolve({ status: null, problem: error.message }));
      child.on('close', (status, signal) => resolve({ status, ...(signal === null ? {} : { signal }) }));
    });
    return {
      ended,
      interrupt: () => void child.kill('SIGINT'),
      kill: () => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          child.kill('SIGKILL'); // the group is not there yet, or not any more
        }
      },
    };
  };
}

function listen(stream: Readable, onLine: (text: string) => void): void {
  const splitter = new LineSplitter(onLine);
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => splitter.add(chunk));
  stream.on('error', () => {}); // its end is told by the process
  stream.on('close', () => splitter.end());
}

interface Question {
  readonly ask?: unknown;
  readonly step?: unknown;
  readonly question?: unknown;
}

/** Questions are answered in their order: a child asks the next one when it has its answer, or needs none before it. */
function answer(pipe: (Readable & Writable) | null, listener: ChildListener): void {
  if (pipe === null) return;
  pipe.on('error', () => {}); // the child is gone: nobody waits for an answer
  let before: Promise<unknown> = Promise.resolve();
  listen(pipe, (line) => {
    const answered = answerTo(parseJsonObject(line) ?? {}, listener);
    before = before
      .then(() => answered)
      .then(
        (said) => pipe.write(`${JSON.stringify(said)}\n`),
        () => {}, // the run is over
      );
  });
}

async function answerTo({ ask, step, question }: Question, listener: ChildListener): Promise<object> {
  if (ask === 'confirm') return await listener.confirm(Number(step), String(question));
  if (ask === 'ready') return { notes: await listener.ready(Number(step)) };
  return { permit: await listener.permit(String(step ?? '')) };
}
