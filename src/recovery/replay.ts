/**
 * Recovers a restored data directory to a planned moment with a server of our own, and asserts that it came where the plan said. The settings
 * of the recovery are outside the directory; what stays in it is the signal file, which PostgreSQL removes at the end. A directory left by a
 * killed recovery therefore does not start: it asks for a `restore_command` that nobody gives.
 */
import { appendFile, chown, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectories } from '../base/make-directories.ts';
import type { ServerAccount } from '../postgres/account.ts';
import { PostgresInstance } from '../postgres/instance.ts';
import { formatLsn } from '../postgres/lsn.ts';
import type { ServerPrograms } from '../postgres/programs.ts';
import { quotedSetting } from '../postgres/quoting.ts';
import type { MomentPlan } from './moment.ts';
import { assertReached } from './replay/assert-reached.ts';
import { WalFeed } from './replay/feed.ts';
import { runtimeParent, writeConfigFiles } from './server/config-files.ts';
import { type Reached, reachedBy } from './server/reached.ts';
import { quietSettings, type ServerLimits } from './server/settings.ts';
import { bootstrapSuperuser } from './server/superuser.ts';
import type { RecoveryWorld } from './world.ts';

export interface ReplayRequest {
  readonly plan: MomentPlan;
  /** Restored from the plan's base; belongs to `account`. */
  readonly dataDir: string;
  /** A private directory on the same file system, through which the account may pass: configuration, socket and log go there. */
  readonly runtime: string;
  readonly programs: ServerPrograms;
  readonly account: ServerAccount | undefined;
  readonly settings?: Readonly<Record<string, string>>;
  readonly limits?: ServerLimits;
  readonly tcp?: boolean;
  readonly removeWhenOrphaned?: readonly string[];
}

export interface Replayed {
  /** Running, and writable. */
  readonly instance: PostgresInstance;
  /** A superuser. */
  readonly user: string;
  readonly reached: Reached;
  readonly walSegments: number;
  readonly walBytes: number;
  readonly seconds: number;
}

/** No limit that a large log could meet: the server's end and an interruption are noticed at once. */
const START_TIMEOUT_MS = 30 * 24 * 3_600_000;
const SIGNAL_FILE = 'recovery.signal';
const REPLAYING = '# Holdfast: recovery to a moment has begun here and did not end. Restore again.\n';
const WAITING = '# Holdfast: recovery to a moment has not begun here. Restore again.\n';

/**
 * Makes the data directory of a copy that will be recovered, and marks it before anything is in it: it never starts as something that it is not
 * meant to be. What an earlier, killed recovery worked on goes, because its pages may be torn; what was only restored stays.
 */
export async function prepareDataDirectory(dataDir: string): Promise<void> {
  const mark = await readFile(join(dataDir, SIGNAL_FILE), 'utf8').catch(() => undefined);
  if (mark !== WAITING) await rm(dataDir, { recursive: true, force: true });
  await makeDirectories(dataDir, 0o700);
  await writeMark(dataDir, WAITING);
}

/**
 * Leaves the recovery to the server that will be started on the directory: the settings go into its own `postgresql.auto.conf`. `fetchCommand`
 * is its `restore_command`.
 */
export async function leaveToBeReplayed(dataDir: string, plan: MomentPlan, fetchCommand: string): Promise<void> {
  const settings = { restore_command: fetchCommand, ...recoverySettings(plan), hot_standby: 'on', archive_mode: 'off' };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quotedSetting(value)}\n`);
  const header = `
# Added by Holdfast: when this directory is started, it recovers to the moment that was asked for, and opens for business there.
# Remove these lines afterwards. archive_mode stays off until the copy takes the original's place: it would archive into its archive.
`;
  await appendFile(join(dataDir, 'postgresql.auto.conf'), header + lines.join(''), { flush: true });
}

/** Throws `postgres_start_failed`, what fetching the log throws, and `internal` when recovery stopped elsewhere than planned. */
export async function replay(world: RecoveryWorld, request: ReplayRequest): Promise<Replayed> {
  const { clock, signal, progress } = world;
  const { plan, account, runtime } = request;
  const started = clock.monotonic();
  const step = 'replay';
  let brought = { bytes: 0, segments: 0 };
  await using feed = await WalFeed.open({
    plan,
    parent: runtime,
    account,
    clock,
    signal,
    onProgress: (bytes, segments) => {
      brought = { bytes, segments };
      progress({ type: 'advance', step, bytes, items: segments });
    },
  });
  const totalBytes = feed.segments.length * plan.log.line.segmentSize;
  progress({ type: 'step', step, title: 'replaying the log', totalBytes, totalItems: feed.segments.length });
  await writeMark(request.dataDir, REPLAYING);
  const instance = await start(world, request, feed.restoreCommand).catch((error: unknown) => {
    progress({ type: 'done', step, outcome: 'failed' });
    throw feed.failure ?? error;
  });
  try {
    const user = await bootstrapSuperuser(instance, plan.base.database.record.facts.blockSize, signal);
    const reached = await reachedBy(instance, user, signal);
    assertReached(plan, reached);
    progress({ type: 'done', step, outcome: 'done' });
    const seconds = (clock.monotonic() - started) / 1000;
    return { instance, user, reached, walSegments: brought.segments, walBytes: brought.bytes, seconds };
  } catch (error) {
    progress({ type: 'done', step, outcome: 'failed' });
    await instance.stop('immediate');
    throw error;
  }
}

async function writeMark(dataDir: string, text: string): Promise<void> {
  const path = join(dataDir, SIGNAL_FILE);
  await writeFile(path, text, { mode: 0o600, flush: true });
  const { uid, gid } = await stat(dataDir);
  await chown(path, uid, gid);
}

async function start(world: RecoveryWorld, request: ReplayRequest, restoreCommand: string): Promise<PostgresInstance> {
  const { plan, dataDir, runtime, programs, account, limits, settings, removeWhenOrphaned, tcp = false } = request;
  const all = {
    ...quietSettings(plan.base.database.record.facts, limits),
    ...recoverySettings(plan),
    // what the base has of the log may end where it becomes consistent, and a target needs a record after it
    ...(plan.stop.kind === 'immediate' ? { recovery_target: '' } : {}),
    restore_command: restoreCommand,
    ...settings,
  };
  return PostgresInstance.start({
    programs,
    dataDir,
    account,
    settings: await writeConfigFiles(runtime, { settings: all, tcp }),
    loopback: tcp,
    ...runtimeParent(runtime),
    ...(removeWhenOrphaned === undefined ? {} : { removeWhenOrphaned }),
    untilRecovered: true,
    startTimeoutMs: START_TIMEOUT_MS,
    signal: world.signal,
    clock: world.clock,
  });
}

/**
 * Without hot standby: nobody connects before the end, lower limits than the original's are no obstacle, and recovery does not keep books about
 * running transactions. The copy is promoted at its target and asserted afterwards, before anybody gets it.
 */
function recoverySettings({ stop, timeline }: MomentPlan): Record<string, string> {
  const target =
    stop.kind === 'immediate'
      ? { recovery_target: 'immediate' }
      : { recovery_target_lsn: formatLsn(stop.lsn), recovery_target_inclusive: stop.inclusive ? 'on' : 'off' };
  return {
    ...target,
    recovery_target_timeline: String(timeline),
    recovery_target_action: 'promote',
    hot_standby: 'off',
  };
}
