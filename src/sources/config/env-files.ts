/** `.env` and its kin: files that hold little else than secrets, and that nobody wants in a backup by accident. */
import { basename } from 'node:path';

const TEMPLATES = new Set(['example', 'sample', 'template', 'dist']);

/** Whether the file is called `.env` or `.env.*`, unless its name ends in `example`, `sample`, `template` or `dist`. */
export function isEnvironmentFile(path: string): boolean {
  const parts = basename(path).toLowerCase().split('.');
  return parts[0] === '' && parts[1] === 'env' && !TEMPLATES.has(parts.at(-1)!);
}
