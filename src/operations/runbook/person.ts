/** Whoever stands by a recovery: answers questions, may hold it up between steps, writes down what should be remembered. */
import type { PersonsAnswer, PersonsNote, Supervision } from '../../base/supervision.ts';

export interface Person {
  /** Resolves when the next step may begin, with what was noted meanwhile. Rejects when the signal fires. */
  ready(step: number, signal: AbortSignal): Promise<readonly PersonsNote[]>;
  ask(step: number, question: string, signal: AbortSignal): Promise<PersonsAnswer>;
}

/** Answers every question with yes: for who has thought about it before. */
export function agreeing(by: string): Person {
  return { ready: async () => [], ask: async () => ({ yes: true, by, note: null }) };
}

/** People who follow the run through the service. */
export function throughService(supervision: Supervision): Person {
  return {
    ready: (step) => supervision.ready(step),
    ask: (step, question) => supervision.confirm(step, question),
  };
}
