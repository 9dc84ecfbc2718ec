/**
 * A PostgreSQL cluster as entries of a restore point: the base backup's files as they stream, the WAL between its start and stop under
 * `pg_wal/`, and `global/pg_control` last of all, so that what was cut short cannot start.
 */

import { Failure } from '../../base/failure.ts';
import type { BackupMember, BaseBackup, BaseBackupResult, MemberHeader } from '../../postgres/base-backup.ts';
import { changedPathOf, lengthOf, PAGE, readIncrementalFile } from '../../postgres/incremental-file.ts';
import type { RelationLimits } from '../../postgres/incremental-limits.ts';
import type { ServerSetup } from '../../postgres/server-settings.ts';
import type { WalReceiver, WalSegment } from '../../postgres/wal-receiver.ts';
import type { LooseEntry, Meta, Notify } from '../entry.ts';
import { keptBytes } from './changed-files.ts';
import type { PageCheck } from './changed-pages.ts';
import { generatedConfig } from './generated-config.ts';
import { cuttingOf, type GrainPolicy, WAL_CUTTING } from './grain.ts';
import { AUTO_CONF, livingReferences, reasonToLeaveOut, withInPlaceTablespaces } from './neutral.ts';

/** Files up to this size come as one piece of bytes. */
const SMALL_FILE_BYTES = 512 * 1024;
const CONTROL_FILE = 'global/pg_control';
const LABEL_FILE = 'backup_label';

type SmallFile = LooseEntry & {
  readonly type: 'file';
  readonly body: { readonly kind: 'bytes'; readonly bytes: Uint8Array };
};

export interface BackupTally {
  files: number;
  bytes: number;
  walSegments: number;
}

export interface EntriesInput {
  readonly backup: BaseBackup;
  readonly wal: WalReceiver;
  readonly setup: ServerSetup;
  readonly grain: GrainPolicy;
  /** Present for an incremental backup. */
  readonly changes?: IncrementalParts | undefined;
  readonly notify: Notify;
  /** Counts up while entries are yielded. */
  readonly tally: BackupTally;
  /** Called as data bytes pass: how many so far. */
  readonly onBytes: (bytes: number, current: string) => void;
}

export interface IncrementalParts {
  readonly limits: RelationLimits;
  readonly check: PageCheck;
}

export async function* clusterEntries(input: EntriesInput): AsyncGenerator<LooseEntry, BaseBackupResult, undefined> {
  const { backup, wal, tally } = input;
  const last = new LastFiles();
  let owner: MemberHeader | undefined;
  for await (const member of backup.members()) {
    last.see(member.path);
    if (member.header.type === 'directory') {
      yield { type: 'dir', path: member.path, meta: metaOf(member.header) };
      continue;
    }
    if (isLeftOut(member.path, input)) continue;
    owner ??= member.header;
    const entry = await fileEntry(member, input);
    tally.files++;
    if (!last.keep(entry)) yield entry;
    for (let segment = wal.takeComplete(); segment; segment = wal.takeComplete()) yield walEntry(segment, owner, tally);
  }
  const result = backup.result;
  input.changes?.check.compare(result.damaged);
  if (!owner) throw new Failure('postgres_protocol', 'The base backup is empty.');
  refuseTimelineSwitch(backup.timeline, result.stopTimeline);
  for await (const segment of wal.finish(result.stopLsn)) yield walEntry(segment, owner, tally);
  if (!last.hasConfig) yield* configEntries(input, owner);
  yield* last.entries(input);
  return result;
}

/** Files that wait until everything else has come, and what the rest of the tree decides about them. */
class LastFiles {
  hasConfig = false;
  #hasTablespaces = false;
  #autoConf: SmallFile | undefined;
  #control: SmallFile | undefined;

  see(path: string): void {
    this.hasConfig ||= path === 'postgresql.conf';
    this.#hasTablespaces ||= path.startsWith('pg_tblspc/');
  }

  /** Keeps the file for the end if it is one of them. */
  keep(entry: LooseEntry & { type: 'file' }): boolean {
    if (entry.body.kind !== 'bytes') return false;
    const small = { ...entry, body: entry.body };
    if (entry.path === AUTO_CONF) this.#autoConf = small;
    else if (entry.path === CONTROL_FILE) this.#control = small;
    else return false;
    return true;
  }

  *entries({ notify, backup }: EntriesInput): Generator<LooseEntry, void, undefined> {
    if (!this.#control || !this.#autoConf) {
      throw new Failure('postgres_protocol', `The base backup lacks ${this.#control ? AUTO_CONF : CONTROL_FILE}.`);
    }
    const { bytes } = this.#autoConf.body;
    for (const name of livingReferences(bytes)) notify({ kind: 'note', item: AUTO_CONF, reason: livingReason(name) });
    for (const { oid, location } of backup.tablespaces) {
      notify({ kind: 'note', item: `pg_tblspc/${oid}`, reason: `holds the tablespace that was at ${location}` });
    }
    const changed = this.#hasTablespaces ? withInPlaceTablespaces(bytes) : bytes;
    yield { ...this.#autoConf, size: changed.length, body: { kind: 'bytes', bytes: changed } };
    yield this.#control;
  }
}

function isLeftOut(path: string, { notify }: EntriesInput): boolean {
  const reason = reasonToLeaveOut(path);
  if (reason !== undefined) notify({ kind: 'note', item: path, reason: `left out: ${reason}` });
  return reason !== undefined;
}

async function fileEntry(member: BackupMember, input: EntriesInput): Promise<LooseEntry & { type: 'file' }> {
  const changedPath = input.changes && changedPathOf(member.path);
  if (changedPath !== undefined) return changesEntry(changedPath, member, input);
  const { path, header } = member;
  const { size } = header;
  const base = { type: 'file', path, meta: metaOf(header), size, cutting: cuttingOf(path, size, input.grain) } as const;
  if (size > SMALL_FILE_BYTES) return { ...base, body: { kind: 'stream', chunks: counted(member, input) } };
  const bytes = await member.readAll();
  if (path === LABEL_FILE && input.changes) return { ...base, ...ofWholeCopy(bytes) };
  count(size, path, input);
  return { ...base, body: { kind: 'bytes', bytes } };
}

/** The file that the changes make, with the pages that came. */
async function changesEntry(
  path: string,
  member: BackupMember,
  input: EntriesInput,
): Promise<LooseEntry & { type: 'file' }> {
  const { header } = member;
  const { limits, check } = input.changes as IncrementalParts;
  const file = await readIncrementalFile(member.content(), header.size);
  const kept = keptBytes(path, file, limits);
  const size = lengthOf(file) * PAGE;
  count(size, path, input);
  const pages = () => check.of(path, file);
  return {
    type: 'file',
    path,
    meta: metaOf(header),
    size,
    cutting: cuttingOf(path, size, input.grain),
    body: { kind: 'changes', pageSize: PAGE, blocks: file.blocks, kept, grain: input.grain.changed, pages },
  };
}

/** `backup_label` without the lines that make the server refuse to start from what is no longer incremental. */
function ofWholeCopy(label: Buffer): { size: number; body: { kind: 'bytes'; bytes: Uint8Array } } {
  const lines = label.toString('latin1').split('\n');
  const bytes = Buffer.from(lines.filter((line) => !line.startsWith('INCREMENTAL FROM ')).join('\n'), 'latin1');
  return { size: bytes.length, body: { kind: 'bytes', bytes } };
}

async function* counted(member: BackupMember, input: EntriesInput): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of member.content()) {
    count(chunk.length, member.path, input);
    yield chunk;
  }
}

function count(bytes: number, path: string, { tally, onBytes }: EntriesInput): void {
  tally.bytes += bytes;
  onBytes(tally.bytes, path);
}

function livingReason(name: string): string {
  if (name.startsWith('archive'))
    return `${name} is kept: set archive_mode = off before you start a copy beside the original`;
  return `${name} is kept; without a signal file it has no effect`;
}

function walEntry(segment: WalSegment, owner: MemberHeader, tally: BackupTally): LooseEntry {
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

function* configEntries({ setup, notify }: EntriesInput, owner: MemberHeader): Generator<LooseEntry> {
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

function metaOf(header: MemberHeader): Meta {
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
