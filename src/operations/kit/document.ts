/** A document to be read and printed, free of how it looks: the recovery kit, a runbook, the report of a recovery. */
import type { State } from '../../base/page.ts';

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [name: string, value: string])[] }
  | { readonly kind: 'commands'; readonly lines: readonly string[] }
  | { readonly kind: 'list'; readonly sentences: readonly string[]; readonly ordered?: boolean }
  /** To be filled in with a pen. */
  | { readonly kind: 'blanks'; readonly labels: readonly string[] }
  | { readonly kind: 'steps'; readonly steps: readonly StepDone[] };

/** A step of a recovery, with what came of it. */
export interface StepDone {
  readonly number: number;
  readonly title: string;
  /** A command line, or a question. */
  readonly what: string;
  readonly isCommand: boolean;
  readonly state: State;
  readonly outcome: string;
  readonly took: string;
  readonly mayTake: string;
  readonly remarks: readonly string[];
}

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface KitDocument {
  readonly title: string;
  /** Who made it, and its number; above the title of the page. */
  readonly kicker: string;
  readonly subtitle: string;
  /** What came of it, to be seen first. */
  readonly verdict?: { readonly state: State; readonly headline: string; readonly sentence: string };
  readonly sections: readonly Section[];
  /** Somebody who was not there is to sign it. */
  readonly signed?: boolean;
}
