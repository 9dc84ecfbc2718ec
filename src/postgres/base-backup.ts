/**
 * A physical base backup over the replication protocol: the server's tar archives unpacked into members in the order they come
 * (tablespaces first, `global/pg_control` last), each file checked against the server's own manifest at the end.
 * Nothing of it may be trusted before `members` has ended without an error.
 */
import { crc32c } from '../base/crc32c.ts';
import { Failure } from '../base/failure.ts';
import type { DamagedPages } from './damage.ts';
import { type Lsn, parseLsn } from './lsn.ts';
import { EventReader } from './protocol/backup-events.ts';
import { type BackupEvent, BackupStream } from './protocol/backup-stream.ts';
import { Inbox } from './protocol/inbox.ts';
import { malformed } from './protocol/messages.ts';
import type { ReplicationConnection } from './replication-connection.ts';
import {
  MAX_MANIFEST_BYTES,
  parseManifest,
  type ServerManifest,
  type StreamedFile,
  verifyAgainst,
} from './server-manifest.ts';
import { memberPath } from './tar/member-path.ts';
import { type TarMember, TarReader } from './tar/reader.ts';
import { uploadManifest } from './upload-manifest.ts';

/** What the archive's header says about a member. */
export type MemberHeader = TarMember;

export interface BackedUpTablespace {
  readonly oid: string;
  /** Where it is on the server. */
  readonly location: string;
}

export interface BackupMember {
  /** Relative to the data directory; a tablespace's files are under `pg_tblspc/<oid>/`. */
  readonly path: string;
  readonly header: MemberHeader;
  /** The content in order, each chunk valid until the next is asked for. To be consumed, or left entirely alone, before the next member. */
  content(): AsyncGenerator<Buffer, void, undefined>;
  /** All content at once: for small files. */
  readAll(): Promise<Buffer>;
}

export interface BaseBackupResult {
  readonly stopLsn: Lsn;
  readonly stopTimeline: number;
  readonly manifest: ServerManifest;
  /** Pages whose checksum the server found wrong; empty when all is well. */
  readonly damaged: readonly DamagedPages[];
}

/** What arrived and is not consumed yet, in bytes, before the socket is paused. */
const INBOX_BYTES = 8 * 1024 * 1024;

export class BaseBackup {
  readonly startLsn: Lsn;
  readonly timeline: number;
  readonly tablespaces: readonly BackedUpTablespace[];
  /** The server's estimate of everything to come, in bytes. */
  readonly estimatedBytes: number;
  readonly #events: EventReader;
  readonly #streamed = new Map<string, StreamedFile>();
  #result: BaseBackupResult | undefined;

  private constructor(events: EventReader, start: readonly (string | null)[], spaces: readonly (string | null)[][]) {
    this.#events = events;
    this.startLsn = parseLsn(start[0] ?? '');
    this.timeline = Number(start[1]);
    this.tablespaces = spaces.flatMap(([oid, location]) => (oid && location ? [{ oid, location }] : []));
    this.estimatedBytes = spaces.reduce((sum, [, , kib]) => sum + Number(kib ?? 0) * 1024, 0);
  }

  /**
   * Starts the backup with an immediate checkpoint; resolves when the server has told its start position. With the manifest of an earlier
   * copy it is incremental (PostgreSQL 17): files named there come as their changes, under the name `INCREMENTAL.<file>`.
   */
  static async start(connection: ReplicationConnection, label: string, base?: Buffer): Promise<BaseBackup> {
    if (base !== undefined) await uploadManifest(connection, base);
    const inbox = new Inbox<BackupEvent>(INBOX_BYTES, connection);
    connection.converse(backupCommand(label, base !== undefined), new BackupStream(inbox));
    const events = new EventReader(inbox);
    const start = await events.rows();
    const spaces = await events.rows();
    if (start.length !== 1 || spaces.length === 0) throw malformed('start of the backup');
    return new BaseBackup(events, start[0]!, spaces);
  }

  /** Every directory and file of the backup, once; ends after the server's manifest was verified. */
  async *members(): AsyncGenerator<BackupMember, void, undefined> {
    const known = new Set(this.tablespaces.map((space) => space.oid));
    for (;;) {
      const next = await this.#events.next();
      if (next.kind === 'manifest') break;
      if (next.kind !== 'archive') throw malformed('order of backup messages');
      const root = archiveRoot(next.name, next.location, known);
      if (root) yield directory(root);
      yield* this.#archive(root);
    }
    await this.#end();
  }

  /** What the end of the backup told; throws before `members` has ended. */
  get result(): BaseBackupResult {
    if (!this.#result) throw new Failure('internal', 'The base backup has not ended.');
    return this.#result;
  }

  async *#archive(root: string): AsyncGenerator<BackupMember, void, undefined> {
    const tar = new TarReader(() => this.#events.data());
    for (let header = await tar.next(); header; header = await tar.next()) {
      const path = memberPath(root, header.name);
      // Links of tablespaces point into the live server.
      if (path === undefined || header.type === 'symlink') continue;
      if (header.type !== 'file' && header.type !== 'directory') throw malformed(`kind of member (${path})`);
      const member = new StreamingMember(tar, header, path);
      yield member;
      if (header.type === 'directory') continue;
      await member.drain();
      if (this.#streamed.has(path)) throw malformed(`backup: ${path} comes twice`);
      this.#streamed.set(path, { size: header.size, crc: member.crc });
    }
  }

  async #end(): Promise<void> {
    const manifest = parseManifest(await this.#events.collect(MAX_MANIFEST_BYTES));
    verifyAgainst(manifest, this.#streamed);
    this.#streamed.clear();
    const stop = (await this.#events.rows())[0];
    const damaged = await this.#events.finish();
    this.#result = { stopLsn: parseLsn(stop?.[0] ?? ''), stopTimeline: Number(stop?.[1]), manifest, damaged };
  }
}

/**
 * The options and their reasons: `WAL` comes over a second connection; `WAIT` would hang while archiving fails. With TABLESPACE_MAP,
 * PostgreSQL 15 leaves out tablespaces that lie inside the data directory, without a word; without it, links into the live server are
 * in the archive, and `members` drops them.
 */
function backupCommand(label: string, incremental: boolean): string {
  const quoted = label.replaceAll("'", "''").replaceAll(/[\0\r\n]/g, ' ');
  return (
    `BASE_BACKUP (LABEL '${quoted}', PROGRESS true, CHECKPOINT 'fast', WAL false, WAIT false, ` +
    `TABLESPACE_MAP false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C'${incremental ? ', INCREMENTAL' : ''})`
  );
}

/** Where an archive's members belong: `` for the data directory, `pg_tblspc/<oid>` for a tablespace. */
function archiveRoot(name: string, location: string, known: ReadonlySet<string>): string {
  if (location === '') return '';
  const oid = /^(\d{1,10})\.tar$/.exec(name)?.[1];
  if (!oid || !known.has(oid)) throw malformed('archive name');
  return `pg_tblspc/${oid}`;
}

function directory(path: string): BackupMember {
  const header: TarMember = {
    name: path,
    linkName: '',
    type: 'directory',
    size: 0,
    mode: 0o700,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    mtime: 0,
  };
  return { path, header, content: async function* () {}, readAll: async () => Buffer.alloc(0) };
}

/** A file on its way through: whoever reads it, its CRC is computed once. */
class StreamingMember implements BackupMember {
  readonly path: string;
  readonly header: TarMember;
  readonly #tar: TarReader;
  crc = 0;

  constructor(tar: TarReader, header: TarMember, path: string) {
    this.#tar = tar;
    this.header = header;
    this.path = path;
  }

  async *content(): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of this.#tar.content()) {
      this.crc = crc32c(chunk, this.crc);
      yield chunk;
    }
  }

  async readAll(): Promise<Buffer> {
    const bytes = await this.#tar.readAll();
    this.crc = crc32c(bytes, this.crc);
    return bytes;
  }

  async drain(): Promise<void> {
    for await (const _ of this.content());
  }
}
