/** Owners, modes and times as a restore sets them. */

/** Who owns what is restored: as recorded, one account, or whoever runs the restore. */
export type Ownership = 'recorded' | 'none' | { readonly uid: number; readonly gid: number };

export function ownerOf(ownership: Ownership, uid: number, gid: number): { uid: number; gid: number } | undefined {
  if (ownership === 'none') return undefined;
  return ownership === 'recorded' ? { uid, gid } : ownership;
}

/** Setuid and setgid come back only with the owner they were meant for. */
export function modeFor(ownership: Ownership, mode: number): number {
  return ownership === 'recorded' ? mode : mode & 0o1777;
}

/** Seconds since the epoch, as the platform's calls take them: a double, exact to about a quarter of a microsecond today. */
export function toSeconds(ns: bigint): number {
  return Number(ns) / 1e9;
}
