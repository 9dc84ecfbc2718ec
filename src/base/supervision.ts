/**
 * A run of the service is a command in a process of its own, and the worker that started it holds a lease. The command asks before it makes
 * something visible or destroys something: a worker whose lease went to another says no, one that is gone ends the command.
 */
export interface Supervision {
  /** The run this process carries out. */
  readonly run: string;
  /** Throws `run_lost` when the run is another's by now. `step` is for the record: what is about to become final. */
  permit(step: string): Promise<void>;
  /** A question to a person, answered through the service. Throws `run_lost`. */
  confirm(step: number, question: string): Promise<PersonsAnswer>;
  /** Resolves when the next step may begin, with what people noted meanwhile. Throws `run_lost`. */
  ready(step: number): Promise<readonly PersonsNote[]>;
}

export interface PersonsAnswer {
  readonly yes: boolean;
  readonly by: string;
  readonly note: string | null;
}

export interface PersonsNote {
  readonly by: string;
  readonly text: string;
}
