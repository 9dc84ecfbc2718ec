/** What a check of a restored copy found: plain values for the report. No row's content is ever in one, only names and figures. */
import type { Clock } from '../../base/clock.ts';
import { printable } from '../../base/printable.ts';

type CheckOutcome = 'passed' | 'failed' | 'skipped';

export interface Finding {
  /** What kind of check, such as `foreign keys`; one word for one check, for ever. */
  readonly check: string;
  /** The source whose copy was looked at, or the app's name. */
  readonly source: string;
  readonly outcome: CheckOutcome;
  /** How many things were looked at, and what they are. */
  readonly counted: number;
  readonly unit: string;
  /** What is wrong: the first of `problems`. */
  readonly details: readonly string[];
  readonly problems: number;
  /** What was not looked at, and other remarks. */
  readonly notes: readonly string[];
  /** Things that were given up for want of time: neither right nor wrong is known of them. */
  readonly unfinished: number;
  /** What is wrong is this machine, not the copy: a library that is not installed. */
  readonly environment: boolean;
  readonly duration_s: number;
}

/** So many sentences of a kind are kept; all are counted. */
const MAX_DETAILS = 40;
const MAX_NOTES = 20;
const MAX_SENTENCE = 600;

/** Gathers one finding while its check runs. */
export class Collector {
  readonly #check: string;
  readonly #source: string;
  readonly #unit: string;
  readonly #clock: Clock;
  readonly #started: number;
  readonly #details: string[] = [];
  readonly #notes: string[] = [];
  #counted = 0;
  #problems = 0;
  #unsaid = 0;
  #unfinished = 0;
  #skipped = false;
  #environment = false;

  constructor(check: string, source: string, unit: string, clock: Clock) {
    this.#check = check;
    this.#source = source;
    this.#unit = unit;
    this.#clock = clock;
    this.#started = clock.monotonic();
  }

  count(amount = 1): void {
    this.#counted += amount;
  }

  /** Something is wrong. */
  problem(sentence: string): void {
    this.#problems += 1;
    if (this.#details.length < MAX_DETAILS) this.#details.push(tidy(sentence));
  }

  /** Something that this machine lacks, so that the copy could not be shown to be right. */
  missingHere(sentence: string): void {
    this.#environment = true;
    this.problem(sentence);
  }

  note(sentence: string): void {
    if (this.#notes.length < MAX_NOTES) this.#notes.push(tidy(sentence));
    else this.#unsaid += 1;
  }

  /** Given up for want of time. */
  unfinished(sentence: string): void {
    this.#unfinished += 1;
    this.note(sentence);
  }

  /** The check has nothing to look at here. */
  skip(why: string): void {
    this.#skipped = true;
    this.note(why);
  }

  finish(): Finding {
    const passed = this.#skipped || this.#unfinished > 0 ? 'skipped' : 'passed';
    return {
      check: this.#check,
      source: this.#source,
      outcome: this.#problems > 0 ? 'failed' : passed,
      counted: this.#counted,
      unit: this.#unit,
      details: this.#details,
      problems: this.#problems,
      notes: this.#unsaid === 0 ? this.#notes : [...this.#notes, `… and ${this.#unsaid} more remarks.`],
      unfinished: this.#unfinished,
      environment: this.#environment,
      duration_s: Math.round(this.#clock.monotonic() - this.#started) / 1000,
    };
  }
}

function tidy(sentence: string): string {
  const plain = printable(sentence.replaceAll(/\s*\n\s*/g, ' '));
  return plain.length <= MAX_SENTENCE ? plain : `${plain.slice(0, MAX_SENTENCE)}…`;
}
