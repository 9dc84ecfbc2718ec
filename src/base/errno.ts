/** Errors of the operating system. */

/** The symbolic name (`ENOENT`, …) of an error that the operating system made; undefined for every other error. */
export function errno(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
