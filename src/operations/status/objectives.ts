/**
 * Whether what was promised is kept. The RPO is judged on the databases, whose WAL can be archived all the time; files are as old as the
 * newest point, which is shown beside it, and judged only where the app has no database. The RTO is judged on the last proof that measured it,
 * with every database of the app.
 */
import { formatDuration } from '../../base/durations.ts';

export interface ObjectiveState {
  readonly objective: 'rpo' | 'rto' | 'copies';
  /** Seconds; storages for `copies`. */
  readonly promised: number;
  /** Null when it is not known. */
  readonly actual: number | null;
  readonly state: 'kept' | 'broken' | 'unknown';
  /** Where the figure comes from, or what would have to be done to know it. */
  readonly because: string;
}

/** What would be lost of one source if the original were gone now. */
export interface Exposure {
  readonly source: string;
  readonly type: string;
  /** Null: all of it, there is nothing. */
  readonly seconds: number | null;
  readonly because: string;
}

export interface ObjectiveInput {
  /** Milliseconds. */
  readonly rpo: number | undefined;
  readonly rto: number | undefined;
  readonly exposures: readonly Exposure[];
  /** The time to recovery that the last proof measured. */
  readonly measured: { readonly seconds: number; readonly time: string } | undefined;
  readonly copies: { readonly required: number; readonly held: number } | undefined;
}

export function judgeObjectives(input: ObjectiveInput): ObjectiveState[] {
  const states: ObjectiveState[] = [];
  if (input.rpo !== undefined) states.push(judgeRpo(input.rpo / 1000, input.exposures));
  if (input.rto !== undefined) states.push(judgeRto(input.rto / 1000, input.measured));
  if (input.copies !== undefined) states.push(judgeCopies(input.copies));
  return states;
}

function judgeRpo(promised: number, exposures: readonly Exposure[]): ObjectiveState {
  const databases = exposures.filter(({ type }) => type === 'postgres');
  const judged = databases.length > 0 ? databases : exposures;
  const worst = judged.reduce<Exposure | undefined>((a, b) => (a === undefined || isWorse(b, a) ? b : a), undefined);
  if (worst === undefined)
    return { objective: 'rpo', promised, actual: null, state: 'unknown', because: 'the app has no sources' };
  const broken = worst.seconds === null || worst.seconds > promised;
  const because = `${worst.source}: ${worst.because}`;
  return { objective: 'rpo', promised, actual: worst.seconds, state: broken ? 'broken' : 'kept', because };
}

function isWorse(a: Exposure, b: Exposure): boolean {
  return b.seconds !== null && (a.seconds === null || a.seconds > b.seconds);
}

function judgeRto(promised: number, measured: ObjectiveInput['measured']): ObjectiveState {
  if (measured === undefined)
    return {
      objective: 'rto',
      promised,
      actual: null,
      state: 'unknown',
      because: 'never measured; run "holdfast prove"',
    };
  const state = measured.seconds > promised ? 'broken' : 'kept';
  const took = formatDuration(measured.seconds * 1000);
  return {
    objective: 'rto',
    promised,
    actual: measured.seconds,
    state,
    because: `the proof of ${measured.time} took ${took}`,
  };
}

function judgeCopies({ required, held }: { readonly required: number; readonly held: number }): ObjectiveState {
  const state = held < required ? 'broken' : 'kept';
  return {
    objective: 'copies',
    promised: required,
    actual: held,
    state,
    because: 'storages that hold all of the newest point',
  };
}
