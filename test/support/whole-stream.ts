/** The stream as the command runs it: with what it does beside streaming, and the program that makes its base backups. */
import { systemClock } from '../../src/base/clock.ts';
import type { ProgressEvent } from '../../src/base/progress.ts';
import { type StreamWalOutcome, walStream } from '../../src/operations/wal-stream.ts';
import { openSession, PASSWORD } from './care.ts';
import { HOLDFAST, writeConfig } from './holdfast.ts';
import type { TestServer } from './postgres/server.ts';
import { MIB, type WalPlace } from './wal-stream.ts';

export interface WholeStream {
  /** Messages of warnings and notes so far, with their hints. */
  readonly said: readonly string[];
  /** How often it has looked for gaps. */
  looks(): number;
  /** Stops it cleanly. */
  end(): Promise<StreamWalOutcome>;
}

export interface WholeStreamOptions {
  /** Of `commandOf`: what makes base backups. */
  readonly program: readonly string[];
  readonly baseAfterGap?: boolean;
  /** Bytes. */
  readonly spoolLimit?: number;
  readonly slotLimit?: number;
  readonly slotCheckMs?: number;
}

/** Between two looks for gaps, in ms. */
const LOOK = 100;

/** Begins the whole stream of `server` into the storages of `place`. */
export async function startWhole(
  { stores, spool }: WalPlace,
  server: TestServer,
  { program, baseAfterGap = true, spoolLimit = 64 * MIB, slotLimit = 64 * MIB, ...more }: WholeStreamOptions,
): Promise<WholeStream> {
  const stop = new AbortController();
  const said: string[] = [];
  let looks = 0;
  const sleep = (ms: number, signal?: AbortSignal) => {
    if (ms === LOOK) looks += 1;
    return systemClock.sleep(ms, signal);
  };
  const session = {
    ...(await openSession(stores)),
    ...{ signal: stop.signal, clock: { ...systemClock, sleep } },
    progress: (event: ProgressEvent) =>
      void ('message' in event && said.push(`${event.message}${'hint' in event ? ` ${event.hint}` : ''}`)),
  };
  const limits = { spoolLimit, slotLimit, foldAfter: 86_400_000, baseAfterGap };
  const wal = { mode: 'stream', spool, flushEvery: 300, acknowledge: 'spool', ...limits } as const;
  const outcome = walStream(session, {
    ...{ app: 'clinic', requiredCopies: 1, lookEvery: LOOK, ...more },
    own: { program: [...program], environment: process.env },
    source: { type: 'postgres', name: 'database', url: server.url(), wal },
  });
  outcome.catch(() => {}); // whoever waits for its end hears
  const end = () => {
    stop.abort();
    return outcome;
  };
  return { said, looks: () => looks, end };
}

/** The command line of the program for the app `clinic` with this database and `sources` beside it, in the storages of `place`. */
export async function commandOf(
  { dir, stores, spool }: WalPlace,
  server: TestServer,
  sources: object = {},
): Promise<readonly string[]> {
  const wal = { mode: 'stream', spool, flushEvery: '1s' };
  const config = await writeConfig(dir.path, {
    repository: { password: PASSWORD },
    storages: Object.fromEntries(stores.map(({ name }) => [name, { type: 'local', path: dir.join(name) }])),
    apps: { clinic: { sources: { database: { type: 'postgres', url: server.url(), wal }, ...sources } } },
  });
  return [HOLDFAST, '--config', config, '--app', 'clinic'];
}
