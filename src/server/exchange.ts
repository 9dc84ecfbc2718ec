/**
 * The directory through which files travel between callers and runs: uploads wait there for their run, results for whoever downloads them.
 * What nobody needs any more is removed: an upload when its run is over, a result after its time.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { newId } from '../base/ids.ts';
import { makeDirectories } from '../base/make-directories.ts';
import { listRuns, OVER, type Run } from '../catalog/runs.ts';
import type { ExchangeSettings } from '../config/settings.ts';
import { receivePackage } from '../operations/receive-package.ts';
import { bodyParts } from './body.ts';
import type { ServerDeps } from './deps.ts';

/** Ours; anything else that lies there is left alone. */
const NAME = /^\.?(upload|result)-[0-9a-z]{26}\.(tar|csv|json)(\.part|\.[0-9a-f]{8}\.partial)?$/;
const SWEEP_EVERY = 60_000;
/** Runs that are looked through for the one that an upload belongs to. */
const LATEST = 200;

export class Exchange {
  readonly #deps: Pick<ServerDeps, 'catalog' | 'clock' | 'config' | 'log' | 'signal'>;

  constructor(deps: Pick<ServerDeps, 'catalog' | 'clock' | 'config' | 'log' | 'signal'>) {
    this.#deps = deps;
  }

  /** Where it is now. Throws `request_too_large`, `target_full`, `package_refused`, `request_timeout`, `interrupted`. */
  async receive(request: Request, idle: number): Promise<string> {
    const { maxUpload: limit } = await this.#settings();
    const file = await this.#newFile('upload', 'tar');
    const length = request.headers.get('content-length');
    const said = length === null ? undefined : Number(length);
    await receivePackage({ file, parts: bodyParts(request, idle), limit, said });
    return file;
  }

  /** A file for a run to make. */
  newResult(extension: 'tar' | 'csv' | 'json'): Promise<string> {
    return this.#newFile('result', extension);
  }

  /** The file that a run made here, when it is one. */
  async resultOf({ kind, params, state }: Run): Promise<string | undefined> {
    const file = kind === 'export' ? params.file : kind === 'rows' ? params.to : undefined;
    if (typeof file !== 'string' || state !== 'succeeded') return undefined;
    const { directory } = await this.#settings();
    return dirname(file) === directory && NAME.test(basename(file)) ? file : undefined;
  }

  async discard(file: string): Promise<void> {
    await rm(file, { force: true });
  }

  /** Clears up again and again until the server stops. */
  async keepTidy(): Promise<void> {
    const { clock, log, signal } = this.#deps;
    while (!signal.aborted) {
      await this.#sweep().catch((error: unknown) =>
        log.error('Files of the exchange could not be removed.', { error }),
      );
      await clock.sleep(SWEEP_EVERY, signal).catch(() => {});
    }
  }

  async #sweep(): Promise<void> {
    const { directory, keep } = await this.#settings();
    const names = (await readdir(directory).catch(() => [])).filter((name) => NAME.test(name));
    const done = names.some((name) => name.startsWith('upload-')) ? await this.#uploadsOfRunsThatAreOver() : [];
    for (const name of names) {
      const file = join(directory, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (done.includes(file) || this.#deps.clock.now() - mtimeMs > keep) await this.discard(file);
    }
  }

  async #uploadsOfRunsThatAreOver(): Promise<readonly unknown[]> {
    const { runs } = await listRuns(this.#deps.catalog.db, { kind: 'import', limit: LATEST });
    return runs.filter(({ state }) => OVER.includes(state)).map(({ params }) => params.file);
  }

  async #newFile(what: 'upload' | 'result', extension: string): Promise<string> {
    const { directory } = await this.#settings();
    await makeDirectories(directory, 0o700);
    return join(directory, `${what}-${newId(this.#deps.clock.now())}.${extension}`);
  }

  #settings(): Promise<ExchangeSettings> {
    return this.#deps.config().exchange();
  }
}
