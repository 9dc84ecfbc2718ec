/** Begins the base backup of a cluster: incrementally where that can be, else in full, with the reason. */
import { asFailure } from '../../base/failure.ts';
import { BaseBackup } from '../../postgres/base-backup.ts';
import { readLimits } from '../../postgres/incremental-limits.ts';
import { manifestOfBase } from '../../postgres/incremental-manifest.ts';
import { parseLsn } from '../../postgres/lsn.ts';
import type { ReplicationConnection } from '../../postgres/replication-connection.ts';
import type { ServerSetup } from '../../postgres/server-settings.ts';
import type { SqlSession } from '../../postgres/sql.ts';
import { type BaseCopy, dueForFull, type FullReason, obstacleTo } from './base-copy.ts';
import { PageCheck } from './changed-pages.ts';
import type { IncrementalParts } from './entries.ts';

/** A backup that the server has begun. */
export interface StartedBackup {
  readonly backup: BaseBackup;
  /** Of an incremental one: what it builds on, and what its changes need. */
  readonly base?: BaseCopy;
  readonly changes?: IncrementalParts;
  /** Of a full one. */
  readonly fallback?: FullReason;
  /** An incremental one would have been possible: what was read can be held against it. */
  readonly comparable?: boolean;
}

export interface StartInput {
  readonly label: string;
  readonly setup: ServerSetup;
  /** The earlier copy to build on, or why there is none. */
  readonly base: BaseCopy | FullReason;
  /** Read everything, whatever there is to build on. */
  readonly full: boolean;
  /** The time, in milliseconds. */
  readonly now: number;
  /** Opens a connection that lasts as long as the backup. */
  readonly connect: () => Promise<ReplicationConnection>;
  readonly openSql: () => Promise<SqlSession>;
  readonly signal: AbortSignal | undefined;
}

const ASKED_FOR: FullReason = { reason: 'it was asked for', expected: true };

export async function startBackup(input: StartInput): Promise<StartedBackup> {
  const { base, signal } = input;
  if ('reason' in base) return startFull(input, await input.connect(), base);
  const connection = await input.connect();
  const obstacle = obstacleTo(base, input.setup, await connection.identify());
  const reason = obstacle ?? (input.full ? ASKED_FOR : dueForFull(base, input.now));
  if (reason !== undefined) {
    return { ...(await startFull(input, connection, reason)), comparable: obstacle === undefined };
  }
  try {
    return await startIncremental(input, connection, base);
  } catch (error) {
    signal?.throwIfAborted();
    await connection[Symbol.asyncDispose]();
    return startFull(input, await input.connect(), { reason: asFailure(error).message });
  }
}

async function startFull(
  { label }: StartInput,
  connection: ReplicationConnection,
  fallback: FullReason,
): Promise<StartedBackup> {
  return { backup: await BaseBackup.start(connection, label), fallback };
}

/** Throws what the server has against it. */
export async function startIncremental(
  { label, setup, openSql }: Pick<StartInput, 'label' | 'setup' | 'openSql'>,
  connection: ReplicationConnection,
  base: BaseCopy,
): Promise<StartedBackup> {
  const { timeline, systemIdentifier, files } = base;
  const startLsn = parseLsn(base.startLsn);
  const stopLsn = parseLsn(base.stopLsn);
  const manifest = manifestOfBase({ systemIdentifier, timeline, startLsn, stopLsn, files });
  const backup = await BaseBackup.start(connection, label, manifest);
  await using sql = await openSql();
  const limits = await readLimits(sql, timeline, startLsn, backup.startLsn);
  return { backup, base, changes: { limits, check: new PageCheck(setup.dataChecksums, backup.startLsn) } };
}
