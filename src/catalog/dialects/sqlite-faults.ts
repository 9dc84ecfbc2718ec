/** What goes wrong with a file of SQLite, and what the reader can do about it. */
import { stat } from 'node:fs/promises';
import { systemClock } from '../../base/clock.ts';
import { Failure } from '../../base/failure.ts';
import { isDuplicate } from '../database.ts';
import type { Guard } from './guarded.ts';

/** How long a write waits for another process, and how often it looks. */
const PATIENCE_MS = 10_000;
const FIRST_LOOK_MS = 2;
const LONGEST_LOOK_MS = 100;
/** How often it is made sure that the file is still the one that was opened. */
const LOOK_EVERY_MS = 1000;

/** Primary result codes of SQLite. */
const BUSY = 5;
const READONLY = 8;
const IO = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** Waits without holding up the process while another one writes, and refuses to write to a file that is no longer there. */
export function sqliteGuard(path: string): Guard {
  let file: string | undefined;
  let looked = 0;
  const checkThere = async () => {
    const now = systemClock.monotonic();
    if (file !== undefined && now - looked < LOOK_EVERY_MS) return;
    looked = now;
    const found = await identity(path);
    if (file !== undefined && file !== found) throw gone(path);
    file = found;
  };
  return async (work, opens) => {
    const until = systemClock.monotonic() + PATIENCE_MS;
    for (let pause = FIRST_LOOK_MS; ; pause = Math.min(2 * pause, LONGEST_LOOK_MS)) {
      try {
        if (opens) await checkThere();
        return await work();
      } catch (error) {
        if (!opens || primary(error) !== BUSY || systemClock.monotonic() > until) throw meaning(error, path);
      }
      await systemClock.sleep(pause);
    }
  };
}

/** A file that was removed goes on taking writes that nobody will ever see. */
async function identity(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined); // not there
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}

function gone(path: string): Failure {
  return new Failure('catalog_failed', `The catalog ${path} was removed or replaced while it was in use.`, {
    hint: 'Start the service again; "holdfast catalog import --from-repository" brings its last copy back.',
  });
}

function meaning(error: unknown, path: string): unknown {
  const code = primary(error);
  if (code === undefined || isDuplicate(error)) return error;
  const [message, hint] = words(code, path);
  const text = error instanceof Error ? error.message : String(error);
  const hinted = hint === undefined ? {} : { hint };
  return new Failure('catalog_failed', `${message} (SQLite: ${text})`, { ...hinted, cause: error });
}

function words(code: number, path: string): readonly [string, string?] {
  switch (code) {
    case FULL:
      return [`The disk of the catalog ${path} is full.`, 'Make room there; what was being written is undone.'];
    case BUSY:
      return [`Another process keeps the catalog ${path} locked.`, `See which one it is: fuser -v ${path}`];
    case CORRUPT:
    case NOT_A_DATABASE:
      return [
        `The catalog ${path} is damaged or is no catalog.`,
        'Move it away and run "holdfast catalog import --from-repository", or "holdfast catalog rebuild" for an empty one.',
      ];
    case CANNOT_OPEN:
      return [`The catalog ${path} cannot be opened.`, 'Check that its directory is there and belongs to this user.'];
    case READONLY:
      return [`The catalog ${path} cannot be written.`, 'Check who owns the file and whether its disk is read-only.'];
    case IO:
      return [`The disk of the catalog ${path} fails.`, 'Look at the system log for errors of that disk.'];
    default:
      return [`The catalog ${path} failed.`];
  }
}

function primary(error: unknown): number | undefined {
  const code: unknown = (error as { readonly errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}
