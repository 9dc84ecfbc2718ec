/** What archiving a source needs, and what it counts. */
import type { PointWriter } from '../../repository/point-writer.ts';
import type { Notify } from '../../sources/entry.ts';

export interface ArchiveContext {
  readonly writer: PointWriter;
  readonly notify: Notify;
  readonly counts: SourceCounts;
  /** Called now and then with the counts so far. */
  readonly onAdvance: (current?: string) => void;
}

export interface SourceCounts {
  filesNew: number;
  filesChanged: number;
  filesUnmodified: number;
  dirsNew: number;
  dirsChanged: number;
  dirsUnmodified: number;
  /** Bytes read from the source. */
  bytesRead: number;
  /** Files, directories and bytes of the source, read or not. */
  files: number;
  directories: number;
  bytes: number;
}

export function newCounts(): SourceCounts {
  return {
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    dirsNew: 0,
    dirsChanged: 0,
    dirsUnmodified: 0,
    bytesRead: 0,
    files: 0,
    directories: 0,
    bytes: 0,
  };
}

/** Work that may wait in the sealing workers before a producer pauses (bytes). */
export const WORK_AHEAD = 64 * 1024 * 1024;
