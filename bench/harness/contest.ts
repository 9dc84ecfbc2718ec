/** A contest: several programs do the same with the same data, in turns that alternate, and the medians are compared. */
import { run } from '../../test/support/run.ts';
import type { BenchContext } from './context.ts';
import type { Sample } from './measure.ts';
import type { Row } from './results.ts';

export interface Contender {
  /** Shown name: program, version, what is special. */
  readonly name: string;
  readonly isHoldfast: boolean;
}

/** One thing that every contender does in every round. What is not to be measured happens around `measure`, inside `turn`. */
export interface Stage<T extends Contender> {
  /** "first backup" */
  readonly what: string;
  /** Changes the data, the same for all. */
  readonly before?: (round: number) => Promise<void>;
  /** Undefined: this contender does not take part in this stage. */
  readonly turn: (contender: T, round: number) => Promise<Turn | undefined>;
}

export interface Turn {
  readonly sample: Sample;
  readonly stored?: number;
}

/** Everything written so far goes to the disk, so that nobody pays for another's writing. */
async function settleDisk(): Promise<void> {
  await run('sync', [], { timeoutMs: 300_000 });
}

/** Lets the contenders go through the stages `runs` times; their order is turned round each time. */
export async function contest<T extends Contender>(
  context: BenchContext,
  contenders: readonly T[],
  stages: readonly Stage<T>[],
  runs = context.runs,
): Promise<Row[]> {
  const turns = stages.map(() => new Map<T, Turn[]>(contenders.map((contender) => [contender, []])));
  for (let round = 0; round < runs; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const [number, stage] of stages.entries()) {
      await stage.before?.(round);
      for (const contender of order) {
        await settleDisk();
        const turn = await stage.turn(contender, round);
        if (turn === undefined) continue;
        turns[number]?.get(contender)?.push(turn);
        const { wall, cpu } = turn.sample;
        context.say(`${stage.what}, ${contender.name}: ${wall.toFixed(2)} s, processor ${cpu.toFixed(2)} s`);
      }
    }
  }
  return stages.flatMap(({ what }, number) => rowsOf(what, turns[number] as ReadonlyMap<T, readonly Turn[]>));
}

function rowsOf(what: string, turns: ReadonlyMap<Contender, readonly Turn[]>): Row[] {
  const taken = [...turns].filter(([, list]) => list.length > 0);
  const ours = taken.find(([{ isHoldfast }]) => isHoldfast)?.[1];
  const reference = ours && median(ours.map(({ sample }) => sample.wall));
  return taken.map(([contender, list]) => rowOf(what, contender, list, reference));
}

function rowOf(what: string, { name, isHoldfast }: Contender, turns: readonly Turn[], reference?: number): Row {
  const samples = turns.map(({ sample }) => sample);
  const walls = samples.map(({ wall }) => round3(wall));
  const stored = turns.flatMap((turn) => turn.stored ?? []);
  return {
    what,
    program: name,
    runs: turns.length,
    wall: median(walls),
    cpu: round3(median(samples.map(({ cpu }) => cpu))),
    rss: median(samples.map(({ rss }) => rss)),
    walls,
    ...(stored.length > 0 ? { stored: median(stored) } : {}),
    ...(isHoldfast || reference === undefined ? {} : { ratio: round3(median(walls) / reference) }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

function round3(value: number): number {
  return Number(value.toFixed(3));
}
