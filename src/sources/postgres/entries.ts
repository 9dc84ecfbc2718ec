/**
 * A PostgreSQL cluster as entries of a restore point: the base backup's files as they stream, the WAL between its start and stop under
 * `pg_wal/`, and `global/pg_control` last of all, so that what was cut short cannot start.
 */

import { Failure } from '../../base/failure.ts';
import type { BackupMember, BaseBackup, BaseBackupResult } from '../../postgres/base-backup.ts';
import type { ServerSetup } from '../../postgres/server-settings.ts';
import type { TarMember } from '../../postgres/tar/reader.ts';
import type { WalReceiver, WalSegment } from '../../postgres/wal-receiver.ts';
import type { LooseEntry, Meta, Notify } from '../entry.ts';
import { generatedConfig } from './generated-config.ts';
import { cuttingOf, WAL_CUTTING } from './grain.ts';
import { AUTO_CONF, livingReferences, reasonToLeaveOut, withInPlaceTablespaces } from './neutral.ts';

/** Files up to this size come as one piece of bytes. */
const SMALL_FILE_BYTES = 512 * 1024;
const CONTROL_FILE = 'global/pg_control';

export interface BackupTally {
  files: number;
  bytes: number;
  walSegments: number;
}

export interface EntriesInput {
  readonly backup: BaseBackup;
  readonly wal: WalReceiver;
  readonly setup: ServerSetup;
  readonly notify: Notify;
  /** Counts up while entries are yielded. */
  readonly tally: BackupTally;
  /** Called as data bytes pass: how many so far. */
  readonly onBytes: (bytes: number, current: string) => void;
}

export async function* clusterEntries(input: EntriesInput): AsyncGenerator<LooseEntry, BaseBackupResult, undefined> {
  const { backup, wal, tally } = input;
  const seenDirectories = new Set<string>();
  let control: LooseEntry | undefined;
  let owner: TarMember | undefined;
  let hasConfig = false;
  for await (const member of backup.members()) {
    if (member.header.type === 'directory') {
      if (!seenDirectories.has(member.path)) yield { type: 'dir', path: member.path, meta: metaOf(member.header) };
      seenDirectories.add(member.path);
      continue;
    }
    if (isLeftOut(member.path, input)) continue;
    owner ??= member.header;
    hasConfig ||= member.path === 'postgresql.conf';
    const entry = await fileEntry(member, input);
    tally.files++;
    if (member.path === CONTROL_FILE) control = entry;
    else yield entry;
    tally.bytes += entry.size;
    input.onBytes(tally.bytes, member.path);
    for (let segment = wal.takeComplete(); segment; segment = wal.takeComplete()) yield walEntry(segment, owner, tally);
  }
  const result = backup.result;
  if (!control || !owner) throw new Failure('postgres_protocol', 'The base backup holds no global/pg_control.');
  refuseTimelineSwitch(backup.timeline, result.stopTimeline);
  for await (const segment of wal.finish(result.stopLsn)) yield walEntry(segment, owner, tally);
  if (!hasConfig) yield* configEntries(input, owner);
  yield control;
  return result;
}

function isLeftOut(path: string, { notify, backup }: EntriesInput): boolean {
  const reason = reasonToLeaveOut(path);
  if (reason === undefined) return false;
  // The server writes a map into every backup; without tablespaces it is empty and of no interest.
  if (path !== 'tablespace_map' || backup.tablespaces.length > 0)
    notify({ kind: 'note', item: path, reason: `left out: ${reason}` });
  return true;
}

async function fileEntry(member: BackupMember, input: EntriesInput): Promise<LooseEntry & { type: 'file' }> {
  const { path, header } = member;
  const base = { type: 'file', path, meta: metaOf(header), cutting: cuttingOf(path, header.size) } as const;
  if (header.size > SMALL_FILE_BYTES)
    return { ...base, size: header.size, body: { kind: 'stream', chunks: member.content() } };
  let bytes = await member.readAll();
  if (path === AUTO_CONF) {
    for (const name of livingReferences(bytes)) input.notify({ kind: 'note', item: path, reason: livingReason(name) });
    if (input.backup.tablespaces.length > 0) bytes = withInPlaceTablespaces(bytes);
  }
  return { ...base, size: bytes.length, body: { kind: 'bytes', bytes } };
}

function livingReason(name: string): string {
  if (name.startsWith('archive'))
    return `${name} is kept: set archive_mode = off before you start a copy beside the original`;
  return `${name} is kept; without a signal file it has no effect`;
}

function walEntry(segment: WalSegment, owner: TarMember, tally: BackupTally): LooseEntry {
  tally.walSegments++;
  return {
    type: 'file',
    path: `pg_wal/${segment.name}`,
    meta: { ...metaOf(owner), mode: 0o600 },
    size: segment.size,
    body: { kind: 'stream', chunks: segment.chunks },
    cutting: WAL_CUTTING,
  };
}

function* configEntries({ setup, notify }: EntriesInput, owner: TarMember): Generator<LooseEntry> {
  for (const { path, bytes } of generatedConfig(setup)) {
    yield {
      type: 'file',
      path,
      meta: { ...metaOf(owner), mode: 0o600 },
      size: bytes.length,
      body: { kind: 'bytes', bytes },
      cutting: { by: 'content' },
    };
  }
  const reason =
    'the data directory has no configuration of its own: a minimal one was added; back up the real one with a "config" source';
  notify({ kind: 'note', item: 'postgresql.conf', reason });
}

function refuseTimelineSwitch(start: number, stop: number): void {
  if (start === stop) return;
  throw new Failure('postgres_backup_failed', `The server went from timeline ${start} to ${stop} during the backup.`, {
    hint: 'It was promoted, or follows a new primary. Run the backup again.',
  });
}

function metaOf(header: TarMember): Meta {
  const mtimeNs = BigInt(header.mtime) * 1_000_000_000n;
  return {
    mode: header.mode,
    mtimeNs,
    ctimeNs: mtimeNs,
    uid: header.uid,
    gid: header.gid,
    user: header.user,
    group: header.group,
    inode: 0n,
    deviceId: 0n,
    links: 1,
  };
}
