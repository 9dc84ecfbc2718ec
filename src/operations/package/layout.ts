/** The form of an export package: one directory with all that the point holds, how to use it by hand, and checksums of everything at the end. */

/** The first member: how to restore by hand. */
export const README = 'README.txt';
/** The last member. */
export const SUMS = 'SHA256SUMS';
export const MANIFEST = 'manifest.json';

/** The first line of the checksums. */
export const FORMAT = 'holdfast export package, format 1';

/** The last line of the checksums: it covers what no line about a file does, such as owners, modes and links. */
export function wholeLine(bytes: number, sha256: string): string {
  return `the first ${bytes} bytes of this archive: ${sha256}`;
}

/** PostgreSQL starts from no directory without it: it gets its name once everything was checked. */
export function isControlFile(path: Buffer): boolean {
  return /^[^/]+\/global\/pg_control$/.test(path.toString('latin1'));
}
