/** Codes of errors that are not this program's own. */

/** The code of an error of the runtime (`ENOENT`, `ERR_BUFFER_TOO_LARGE`, `CERT_HAS_EXPIRED`); undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The symbolic name (`ENOENT`, …) of an error that the operating system made; undefined for every other error. */
export function errno(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
