/**
 * Snapshot files: one JSON object that names the root tree and says what, when and by whom. Members this program does not know survive
 * reading and writing; other programs drop ours when they rewrite a snapshot, so nothing depends on private members.
 */
import { Failure } from '../../base/failure.ts';
import { type Id, isId } from '../../base/ids.ts';
import { parseTime } from './time.ts';

/** Counters of the backup that made the snapshot; times RFC 3339, sizes in bytes. */
export interface SnapshotSummary {
  readonly backup_start: string;
  readonly backup_end: string;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  readonly data_added: number;
  readonly data_added_packed: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
}

export interface Snapshot {
  /** RFC 3339. */
  readonly time: string;
  readonly parent?: Id;
  readonly tree: Id;
  readonly paths: readonly string[];
  readonly hostname?: string;
  readonly username?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly excludes?: readonly string[];
  readonly tags?: readonly string[];
  /** The first id of a snapshot that was rewritten since. */
  readonly original?: Id;
  readonly program_version?: string;
  readonly summary?: SnapshotSummary;
  /** Members not listed above, as they stood; numbers beyond 2^53 as raw JSON. */
  readonly unknown?: Readonly<Record<string, unknown>>;
}

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === 'string';
const isIdText: Check = (value) => typeof value === 'string' && isId(value);
const isUint: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTime: Check = (value) => {
  try {
    return typeof value === 'string' && parseTime(value) !== undefined;
  } catch {
    return false;
  }
};

const SUMMARY_TIMES = ['backup_start', 'backup_end'] as const;
const SUMMARY_COUNTS = [
  ...(['files_new', 'files_changed', 'files_unmodified', 'dirs_new', 'dirs_changed', 'dirs_unmodified'] as const),
  ...(['data_blobs', 'tree_blobs', 'data_added', 'data_added_packed'] as const),
  ...(['total_files_processed', 'total_bytes_processed'] as const),
];

/** Another program's summary that lacks some of ours is kept as an unknown member. */
function isSummary(value: unknown): boolean {
  if (!isObject(value)) return false;
  const summary = value as Record<string, unknown>;
  return SUMMARY_TIMES.every((name) => isTime(summary[name])) && SUMMARY_COUNTS.every((name) => isUint(summary[name]));
}

/** The known members in the order in which they are written. */
const MEMBERS: Readonly<Record<Exclude<keyof Snapshot, 'unknown'>, Check>> = {
  time: isTime,
  parent: isIdText,
  tree: isIdText,
  paths: isStrings,
  hostname: isString,
  username: isString,
  uid: isUint,
  gid: isUint,
  excludes: isStrings,
  tags: isStrings,
  original: isIdText,
  program_version: isString,
  summary: isSummary,
};

/** Members that are written even when they are empty. */
const REQUIRED = new Set(['time', 'tree', 'paths']);

/** The JSON text of a snapshot file. */
export function encodeSnapshot(snapshot: Snapshot): string {
  const ordered: Record<string, unknown> = {};
  for (const name of Object.keys(MEMBERS) as (keyof typeof MEMBERS)[]) {
    const value = snapshot[name];
    if (REQUIRED.has(name) || !isEmpty(value)) ordered[name] = value;
  }
  return JSON.stringify({ ...ordered, ...snapshot.unknown });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0);
}

/** Reads the JSON of a snapshot file. Throws `data_damaged` when a known member is missing or has the wrong type. */
export function parseSnapshot(json: string | Uint8Array): Snapshot {
  const object = parseObject(typeof json === 'string' ? json : Buffer.from(json).toString());
  const known: Record<string, unknown> = {};
  const others: [string, unknown][] = [];
  for (const [name, value] of Object.entries(object)) {
    if (!Object.hasOwn(MEMBERS, name) || (name === 'summary' && !isSummary(value))) others.push([name, value]);
    else if (value !== null) {
      if (!MEMBERS[name as keyof typeof MEMBERS](value)) throw damaged(`its "${name}" has the wrong form`);
      known[name] = value;
    }
  }
  if (known.time === undefined || known.tree === undefined) throw damaged('it lacks its time or its tree');
  const snapshot = { ...known, paths: known.paths ?? [] } as unknown as Snapshot;
  return others.length === 0 ? snapshot : { ...snapshot, unknown: Object.fromEntries(others) };
}

function parseObject(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json, keepLargeNumbers as (name: string, value: unknown) => unknown);
  } catch (cause) {
    throw new Failure('data_damaged', 'A snapshot is not JSON.', { cause });
  }
  if (!isObject(value)) throw damaged('it is not an object');
  return value as Record<string, unknown>;
}

function keepLargeNumbers(_name: string, value: unknown, context: { source?: string }): unknown {
  const inexact = typeof value === 'number' && context.source !== undefined && String(value) !== context.source;
  return inexact ? rawJson(context.source!) : value;
}

/** `JSON.rawJSON`, which the compiler's library does not describe yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

function damaged(why: string): Failure {
  return new Failure('data_damaged', `A snapshot is malformed: ${why}.`);
}
