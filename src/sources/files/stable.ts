/** When a file that changes while it is being read is read again, and when we give up and mark it. */

/** What `fstat` says of an open file. Times in nanoseconds since the Unix epoch. */
export interface FileState {
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** A file is read at most this many times. */
export const MAX_READS = 3;

/**
 * What to do after reading a file for the `attempt`th time (1, 2, 3), with the state before and after that reading:
 * `stable`: what was read is the file as of one moment; `again`: read it again; `changed`: keep the last reading, and say that the file
 * changed (SourceNotice `changed`).
 */
export function decideStable(before: FileState, after: FileState, attempt: number): 'stable' | 'again' | 'changed' {
  const same = before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
  if (same) return 'stable';
  return attempt < MAX_READS ? 'again' : 'changed';
}
