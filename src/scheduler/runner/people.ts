/** What a run asks of people, answered from what they said to it in the catalog: confirmations of a runbook, pauses, notes. */
import type { Clock } from '../../base/clock.ts';
import type { PersonsAnswer, PersonsNote } from '../../base/supervision.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { appendEvent } from '../../catalog/events.ts';
import { listRunInputs, type RunInput } from '../../catalog/run-inputs.ts';
import type { Run } from '../../catalog/runs.ts';

/** ms between two looks when nothing wakes us. */
const LOOK_EVERY = 2_000;

export class People {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #run: Run;
  readonly #over: AbortSignal;
  /** The last input whose note was handed on. */
  #noted = 0;

  /** `over`: the run has ended, nobody waits for an answer any more. */
  constructor(catalog: Catalog, clock: Clock, run: Run, over: AbortSignal) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#run = run;
    this.#over = over;
  }

  /** The first yes or no to this step; what was said to an earlier attempt counts. */
  async confirm(step: number, question: string): Promise<PersonsAnswer> {
    const { id, app } = this.#run;
    const asked = { type: 'run.progress' as const, app, runId: id, data: { asks: question, step } };
    await appendEvent(this.#catalog.db, asked, this.#clock.now());
    return this.#until((inputs) => {
      const said = inputs.find(
        (input) => input.step === String(step) && (input.kind === 'confirm' || input.kind === 'refuse'),
      );
      return said === undefined ? undefined : { yes: said.kind === 'confirm', by: said.by, note: said.text };
    });
  }

  /** Waits while the run is held up; then what was noted since the last step. */
  async ready(): Promise<readonly PersonsNote[]> {
    return this.#until((inputs) => {
      const last = inputs.findLast(({ kind }) => kind === 'pause' || kind === 'resume');
      if (last?.kind === 'pause') return undefined;
      const fresh = inputs.filter(({ seq, kind, text }) => seq > this.#noted && kind === 'note' && text !== null);
      this.#noted = Math.max(this.#noted, ...fresh.map(({ seq }) => seq));
      return fresh.map(({ by, text }) => ({ by, text: text ?? '' }));
    });
  }

  /** A catalog that cannot be read is asked again; rejects when the run is over. */
  async #until<T>(find: (inputs: readonly RunInput[]) => T | undefined): Promise<T> {
    for (;;) {
      this.#over.throwIfAborted();
      const found = find(await listRunInputs(this.#catalog.db, this.#run.id).catch(() => []));
      if (found !== undefined) return found;
      await this.#catalog.wake.wait(this.#clock, LOOK_EVERY, this.#over);
    }
  }
}
