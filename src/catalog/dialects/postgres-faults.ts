/** What goes wrong between the catalog and its PostgreSQL, and what the reader can do about it. */
import { Failure } from '../../base/failure.ts';
import { isDuplicate } from '../database.ts';
import type { Guard } from './guarded.ts';

const NETWORK = /^(?:ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT)/;
/** What pg itself says, which has no code. */
const LOST = /connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered/i;

/** Beginnings of SQLSTATE → what it means. */
const MEANINGS: readonly (readonly [RegExp, string, string?])[] = [
  [/^(?:08|57P0[1-3])/, 'The database of the catalog is not reachable.', 'It is tried again when it is back.'],
  [/^28/, 'The database of the catalog refuses the log-in.', 'Check the address in "catalog.url".'],
  [
    /^3D000/,
    'The database of the catalog does not exist.',
    'Create it, then start again: its tables are made by Holdfast.',
  ],
  [/^53100/, 'The disk of the database of the catalog is full.', 'Make room there; what was being written is undone.'],
  [/^53300/, 'The database of the catalog has no connection left.', 'Raise max_connections, or lower what others use.'],
  [
    /^25006/,
    'The database of the catalog cannot be written: it is a standby.',
    'Let "catalog.url" lead to the primary.',
  ],
  [
    /^57014/,
    'The database of the catalog is too slow.',
    'A statement was given up after 30 seconds; nothing of it is kept.',
  ],
  [
    /^XX00[12]/,
    'The database of the catalog is damaged.',
    'Restore it, or "holdfast catalog import --from-repository" into a new one.',
  ],
];

export const postgresGuard: Guard = async (work) => {
  try {
    return await work();
  } catch (error) {
    throw meaning(error);
  }
};

function meaning(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure || isDuplicate(error)) return error;
  const code = String((error as Error & { readonly code?: unknown }).code ?? '');
  const found = MEANINGS.find(([state]) => state.test(code));
  if (found === undefined && !NETWORK.test(code) && !LOST.test(error.message)) return error;
  const [, message, hint] = found ?? MEANINGS[0]!;
  const more = { cause: error, ...(hint === undefined ? {} : { hint }) };
  return new Failure('catalog_failed', `${message} (${error.message || code})`, more);
}
