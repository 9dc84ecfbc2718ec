/**
 * Restores over what an app uses. Order: everything that can be refused is refused; the app is stopped; the new state is made beside the
 * old one; the two are swapped by renaming; the app is started. The old state is kept. When anything fails after the app was stopped, the
 * old state is (still, or again) in place and the app is started again.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asFailure, Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { shellCommand } from '../base/shell-words.ts';
import type { AppSettings } from '../config/settings.ts';
import {
  assertApart,
  assertServerStopped,
  configSwaps,
  type DirectoryPlace,
  directoryPlace,
  directorySwap,
  type Place,
  type Suffixes,
  type Swap,
  swapAll,
  wayBack,
} from '../recovery/in-place.ts';
import type { RestorePlan } from '../recovery/plan.ts';
import type { OpenedPoint } from '../recovery/point.ts';
import type { FileProblem, RestoredFiles } from '../recovery/restore-files.ts';
import { lockForReading } from '../recovery/shared-lock.ts';
import { checkRoom } from '../recovery/target.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { runHook } from './hooks.ts';
import { type Assembly, assemblyFor, partOf } from './restore/assembly.ts';
import { findPoints } from './restore/find-point.ts';
import { type FilesFrom, type MomentInput, type MomentOutcome, MomentRestore } from './restore/moment.ts';
import { tellTimelines } from './restore/own-timeline.ts';
import { confirmed, placesOf, type ReplacedPlace, type SourcePlace } from './restore/places.ts';
import { ReadProblems } from './restore/read-problems.ts';
import { isWhole, makePlan, restoreInto } from './restore/run.ts';
import { buildOutcome, type RestoreOutcome, type RestoreRequest } from './restore.ts';
import type { Session } from './session.ts';

export interface RestoreInPlaceInput extends RestoreRequest {
  readonly app: AppSettings;
  /** Where the configuration says that sources are; others go where the manifest says they were. */
  readonly configured: readonly SourcePlace[];
  /** Of the postgres source, when the point does not know it. Absolute. */
  readonly dataDirectory?: string;
  /** The name of the app, or of the one source that is restored. */
  readonly confirm?: string;
  /** Instead of the point: the database as it was at a moment, everything else from the newest point not after it. */
  readonly moment?: MomentInput;
}

export interface RestoreInPlaceOutcome extends RestoreOutcome {
  readonly mode: 'in-place' | 'dry-run';
  readonly replaced: readonly ReplacedPlace[];
  /** Files of config sources that stay as they are, and why. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  /** Shell commands that bring the old state back, in order. */
  readonly way_back: readonly string[];
  /** Of a restore to a moment. */
  readonly moment?: MomentOutcome;
  readonly files_from?: FilesFrom | null;
}

export type { SourcePlace } from './restore/places.ts';

/** One source with what is to be done for it. */
interface Work {
  readonly place: Place;
  readonly directory: DirectoryPlace | undefined;
  readonly staging: string;
  readonly plan: RestorePlan;
}

export async function restoreInPlace(session: Session, input: RestoreInPlaceInput): Promise<RestoreInPlaceOutcome> {
  const started = session.clock.monotonic();
  await using _lock = await lockForReading(session);
  const { indexed, ...state } = await findState(session, input);
  const run = new InPlaceRun(session, input, indexed, state);
  await run.prepare();
  if (!input.dryRun) await run.perform();
  return run.outcome((session.clock.monotonic() - started) / 1000);
}

interface State {
  /** Stands for the restore in its record. */
  readonly point: OpenedPoint;
  readonly assembly: Assembly;
  readonly moment?: MomentRestore;
}

async function findState(
  session: Session,
  { app, point, sources, moment: wanted }: RestoreInPlaceInput,
): Promise<State & { readonly indexed: IndexedRepository }> {
  if (wanted !== undefined) {
    const { indexed, moment } = await MomentRestore.prepare(session, app.name, sources, wanted);
    return { indexed, point: moment.filesPoint, assembly: moment.everything, moment };
  }
  const found = await findPoints(session, app.name, [point]);
  const assembly = await assemblyFor(session, found, { word: point, asked: sources });
  return { indexed: found.indexed, point: assembly.parts[0]!.point, assembly };
}

class InPlaceRun {
  readonly #session: Session;
  readonly #input: RestoreInPlaceInput;
  readonly #indexed: IndexedRepository;
  readonly #state: State;
  readonly #problems: ReadProblems;
  readonly #suffixes: Suffixes;
  readonly #work: Work[] = [];
  readonly #done: RestoredFiles[] = [];
  readonly #refused: { path: string; reason: string }[] = [];
  #swaps: Swap[] = [];

  constructor(session: Session, input: RestoreInPlaceInput, indexed: IndexedRepository, state: State) {
    this.#session = session;
    this.#input = input;
    this.#indexed = indexed;
    this.#state = state;
    this.#problems = new ReadProblems(session.progress);
    const time = new Date(session.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    this.#suffixes = { point: state.point.stored.id.slice(0, 8), time };
  }

  /** Everything that can be refused without touching anything. */
  async prepare(): Promise<void> {
    const { storage, configured, dataDirectory, confirm, dryRun, app } = this.#input;
    const { assembly, moment } = this.#state;
    const recordOf = (source: string) => assembly.recordOf(source);
    const places = placesOf(assembly.sources, { configured, recordOf, dataDirectory });
    for (const place of places) {
      const directory = place.type === 'config' ? undefined : await directoryPlace(place, this.#suffixes);
      const staging = directory?.staging ?? `${app.directory}/.holdfast-new-${this.#suffixes.point}-${place.source}`;
      const part = partOf(assembly.pointOf(place.source)!, [place.source]);
      const plan = await makePlan(this.#session, this.#indexed, part, { paths: [], ...given('storage', storage) });
      const log = this.#isRecovered(place) ? moment!.roomBytes : 0;
      await checkRoom(staging, plan.totals.roomBytes + log, plan.totals.files);
      this.#work.push({ place, directory, staging, plan });
    }
    assertApart(this.#directories());
    if (!dryRun) confirmed(confirm, app.name, this.#replaced());
    if (moment === undefined) await tellTimelines(this.#session, assembly, true);
  }

  async perform(): Promise<void> {
    const { app } = this.#input;
    await this.#hook('beforeRestore', this.#session.signal);
    try {
      await this.#assertServersStopped();
      for (const work of this.#work) await this.#restoreBeside(work);
      await this.#swap();
    } catch (error) {
      throw await this.#afterFailure(error);
    }
    try {
      await this.#hook('afterRestore', this.#session.signal);
    } catch (error) {
      const { code, message } = asFailure(error);
      throw new Failure(code, `${message} The restored state of ${app.name} is in place.`, {
        hint: `Start the app by hand. The way back to the old state: ${this.#wayBack().join(' && ')}`,
        cause: error,
      });
    }
  }

  outcome(duration: number): RestoreInPlaceOutcome {
    const input = this.#input;
    const { point, assembly, moment } = this.#state;
    const request = {
      ...input,
      target: this.#replaced()
        .map(({ path }) => path)
        .join(', '),
    };
    const plans = this.#work.map(({ plan }) => plan);
    const done = input.dryRun ? undefined : this.#done;
    const refused: FileProblem[] = this.#refused.map(({ path, reason }) => ({ path, message: reason, missing: false }));
    const base = buildOutcome(request, { point, assembly, plans, done, storageProblems: this.#problems.all, duration });
    return {
      ...base,
      mode: input.dryRun ? 'dry-run' : 'in-place',
      problems: [...base.problems, ...refused],
      problem_count: base.problem_count + refused.length,
      replaced: this.#replaced(),
      refused: this.#refused,
      way_back: input.dryRun ? [] : this.#wayBack(),
      ...(moment && { moment: moment.outcome(), files_from: moment.filesFrom() }),
    };
  }

  /** Whether the log is replayed on what is restored there. */
  #isRecovered({ source }: Place): boolean {
    return source === this.#state.moment?.source;
  }

  #directories(): DirectoryPlace[] {
    return this.#work.flatMap(({ directory }) => (directory === undefined ? [] : [directory]));
  }

  #replaced(): ReplacedPlace[] {
    if (this.#swaps.length > 0) {
      return this.#swaps.map(({ source, destination, before, replaces }) => ({
        source,
        path: destination,
        before: replaces ? before : null,
      }));
    }
    return this.#work.flatMap(({ place, directory }): ReplacedPlace[] => {
      if (directory !== undefined)
        return [{ source: place.source, path: directory.destination, before: directory.before }];
      if (place.type !== 'config') return [];
      return place.paths.map((path) => ({ source: place.source, path, before: null }));
    });
  }

  async #assertServersStopped(): Promise<void> {
    for (const { destination, type, source } of this.#directories()) {
      if (type !== 'postgres' || (await assertServerStopped(destination)) === 'stopped') continue;
      const message = `${destination} has a postmaster.pid of a server that does not run here.`;
      const hint = 'If it runs in another container on the same files, stop it now.';
      this.#session.progress({ type: 'warning', source, message, hint });
    }
  }

  async #restoreBeside({ place, staging, plan }: Work): Promise<void> {
    const { ownership } = this.#input;
    const { source } = place;
    const moment = this.#isRecovered(place) ? this.#state.moment : undefined;
    const identity = {
      ...{ point: plan.point, sources: [source], paths: [] },
      ...(moment === undefined ? {} : { besides: moment.identity }),
    };
    const around = moment?.around(join(staging, source), false);
    const work = { plan, step: `restore:${source}`, title: `restoring ${source}`, ...around };
    const target = { path: staging, identity, ownership };
    const [done] = await restoreInto(this.#session, this.#indexed, target, [work], this.#problems);
    if (done === undefined) return;
    this.#done.push(done);
    if (isWhole(plan, done)) return;
    const examples = [...plan.problems, ...done.problems].filter(({ missing }) => missing).slice(0, 20);
    throw new Failure('data_damaged', `Not all of ${source} can be restored; the old state stays in place.`, {
      hint: 'Run "holdfast sync" and try again, or restore what there is into a new directory with --to.',
      details: { problems: examples },
    });
  }

  async #swap(): Promise<void> {
    const swaps: Swap[] = [];
    for (const { place, directory, staging } of this.#work) {
      if (directory !== undefined) swaps.push(directorySwap(directory));
      if (place.type !== 'config') continue;
      const found = await configSwaps(place, staging, this.#suffixes);
      swaps.push(...found.swaps);
      this.#refused.push(...found.refused);
    }
    this.#session.signal.throwIfAborted();
    await this.#session.supervision?.permit('swap');
    const back = wayBack(swaps, this.#suffixes.time);
    this.#session.progress({
      type: 'note',
      message: `Swapping now. The way back, should this be cut off: ${back.join(' && ')}`,
    });
    await swapAll(swaps);
    this.#swaps = swaps;
    await this.#removeStaging();
  }

  /** The old state is in place: the app is started again, and what was begun is removed. */
  async #afterFailure(error: unknown): Promise<unknown> {
    if (error instanceof Failure && error.details.stuck === true) return error;
    const { code, message, hint, details } = asFailure(error);
    const state = [`The old state of ${this.#input.app.name} is in place.`];
    // an interrupted restore continues with what it has
    if (code !== 'interrupted') await this.#removeStaging();
    try {
      // also when the operator interrupted: the app must not stay down
      await this.#hook('afterRestore', new AbortController().signal);
    } catch (hookError) {
      state.push(`${asFailure(hookError).message} Start the app by hand.`);
    }
    return new Failure(code, `${message} ${state.join(' ')}`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
      details,
    });
  }

  async #removeStaging(): Promise<void> {
    for (const { staging } of this.#work) await rm(staging, { recursive: true, force: true });
  }

  async #hook(name: 'beforeRestore' | 'afterRestore', signal: AbortSignal): Promise<void> {
    const { app } = this.#input;
    const command = app.hooks[name];
    if (command === undefined) return;
    const { progress } = this.#session;
    progress({ type: 'step', step: name, title: `${name}: ${command[0]}` });
    try {
      await runHook(name, command, { directory: app.directory, signal });
      progress({ type: 'done', step: name, outcome: 'done' });
    } catch (error) {
      progress({ type: 'done', step: name, outcome: 'failed' });
      throw error;
    }
  }

  #wayBack(): string[] {
    const { hooks } = this.#input.app;
    const { beforeRestore, afterRestore } = hooks;
    return [
      ...(beforeRestore ? [shellCommand(beforeRestore)] : []),
      ...wayBack(this.#swaps, this.#suffixes.time),
      ...(afterRestore ? [shellCommand(afterRestore)] : []),
    ];
  }
}
