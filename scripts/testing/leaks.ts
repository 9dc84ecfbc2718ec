/**
 * What a test file leaves behind: processes that still run, mounts, files in its temporary directory.
 *
 * Processes are found by a variable in their environment, which children inherit, so a server that made itself a daemon is found too,
 * and nobody else's server is mistaken for ours. Only Linux shows what is needed for this; elsewhere only files are looked for.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** The variable by which a process is known to belong to a test file; its value names the run and the file. */
export const MARK = 'HOLDFAST_TEST_MARK';

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

/** Every running process whose environment carries `mark`, or a mark below it: marks are paths. */
export function processesMarked(mark: string): LeftProcess[] {
  const wanted = `${MARK}=${mark}`;
  const isOurs = (variable: string) => variable === wanted || variable.startsWith(`${wanted}/`);
  const found: LeftProcess[] = [];
  for (const entry of namesIn('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const environment = readOr(`/proc/${entry}/environ`, (path) => readFileSync(path, 'latin1'), '');
    if (!environment.split('\0').some(isOurs)) continue;
    const command = readOr(`/proc/${entry}/cmdline`, (path) => readFileSync(path, 'utf8'), '').replaceAll('\0', ' ');
    found.push({ pid: Number(entry), command: command.trim().slice(0, 120) });
  }
  return found;
}

/** Mount points below `directory`, innermost first. */
export function mountsBelow(directory: string): string[] {
  const table = readOr('/proc/self/mountinfo', (path) => readFileSync(path, 'utf8'), '');
  const points = table.split('\n').map((line) => unescapeOctal(line.split(' ')[4] ?? ''));
  return points.filter((point) => point.startsWith(`${directory}/`)).reverse();
}

/** A cache of server programs that Holdfast keeps in the directory for temporary files where a checkout is closed to other accounts. */
const CACHE = /^holdfast-postgres-\d+$/;

/** Names of what stands in `directory`, beside caches that are meant to stay. */
export function filesLeft(directory: string): string[] {
  return namesIn(directory).filter((name) => !CACHE.test(name));
}

function namesIn(directory: string): string[] {
  return readOr(directory, (path) => readdirSync(path), []);
}

/** `mountinfo` writes blanks and backslashes in paths as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Processes and mounts come and go while they are looked at: what cannot be read is not there. */
function readOr<T>(path: string, read: (path: string) => T, otherwise: T): T {
  try {
    return read(path);
  } catch {
    return otherwise;
  }
}
