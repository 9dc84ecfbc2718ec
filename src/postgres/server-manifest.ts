/**
 * The server's own backup manifest, checked against what was streamed: the manifest's SHA-256 of itself, then size and CRC-32C of
 * every file, both ways. CRC-32C is printed in little-endian byte order. The system identifier is 64 bits wide and stays text.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { type JsonObject, parseJsonObject } from '../base/json-object.ts';

export interface ServerManifest {
  /** 1 before PostgreSQL 17, 2 from 17 on. */
  readonly version: number;
  /** Only in version 2. */
  readonly systemIdentifier: string | undefined;
  readonly files: readonly ManifestFile[];
  /** The manifest's checksum of itself, 64 hexadecimal digits. */
  readonly checksum: string;
}

export interface ManifestFile {
  /** Relative path; bytes that are no UTF-8 are kept one to one (latin1) behind `encoded`. */
  readonly path: string;
  readonly size: number;
  readonly crc: number;
}

/** What was seen of one file while it streamed. */
export interface StreamedFile {
  readonly size: number;
  readonly crc: number;
}

const LAST_LINE = /"Manifest-Checksum":\s*"([0-9a-f]{64})"\s*\}\s*$/;
/** Longer manifests cannot be a string in JavaScript; at about 150 bytes a file this is three million files. */
export const MAX_MANIFEST_BYTES = 480 * 1024 * 1024;

/** Parses the manifest and checks its checksum of itself; throws Failure `postgres_protocol`. */
export function parseManifest(bytes: Buffer): ServerManifest {
  const lastLine = bytes.lastIndexOf('"Manifest-Checksum"');
  const checksum = LAST_LINE.exec(bytes.toString('latin1', Math.max(lastLine, 0)))?.[1];
  if (lastLine < 0 || !checksum) throw mismatch('it has no checksum of itself');
  const computed = createHash('sha256').update(bytes.subarray(0, lastLine)).digest('hex');
  if (computed !== checksum) throw mismatch('its checksum of itself is wrong');
  const systemIdentifier = /"System-Identifier":\s*(\d{1,20})/.exec(bytes.toString('latin1', 0, 4096))?.[1];
  const json = parseJson(bytes);
  const files = json.Files;
  if (!Array.isArray(files)) throw mismatch('it lists no files');
  const version = json['PostgreSQL-Backup-Manifest-Version'];
  if (version !== 1 && version !== 2) throw mismatch(`its version is ${String(version)}`);
  return { version, systemIdentifier, files: files.map(parseFile), checksum };
}

/** Throws Failure `postgres_protocol` unless `streamed` holds exactly the manifest's files, each with its size and CRC. */
export function verifyAgainst(manifest: ServerManifest, streamed: ReadonlyMap<string, StreamedFile>): void {
  for (const file of manifest.files) {
    const seen = streamed.get(file.path);
    if (!seen) throw mismatch(`${file.path} was not sent`);
    if (seen.size !== file.size) throw mismatch(`${file.path} came with ${seen.size} bytes instead of ${file.size}`);
    if (seen.crc !== file.crc) throw mismatch(`${file.path} came with another checksum`);
  }
  if (streamed.size === manifest.files.length) return;
  const listed = new Set(manifest.files.map((file) => file.path));
  const extra = [...streamed.keys()].find((path) => !listed.has(path));
  throw mismatch(extra === undefined ? 'it lists a file twice' : `${extra} was sent but is not listed`);
}

function parseJson(bytes: Buffer): JsonObject {
  const json = parseJsonObject(bytes.toString());
  if (json === undefined) throw mismatch('it is no JSON document');
  return json;
}

function parseFile(entry: unknown): ManifestFile {
  const fields = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  const { Path: path, 'Encoded-Path': encoded, Size: size, Checksum: checksum } = fields;
  const name = typeof path === 'string' ? path : typeof encoded === 'string' ? decodePath(encoded) : undefined;
  if (name === undefined || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw mismatch('an entry has no path or no size');
  }
  if (fields['Checksum-Algorithm'] !== 'CRC32C' || typeof checksum !== 'string' || !/^[0-9a-f]{8}$/.test(checksum)) {
    throw mismatch(`${name} has no CRC32C checksum`);
  }
  return { path: name, size, crc: Buffer.from(checksum, 'hex').readUInt32LE(0) };
}

/** The same decoding as the tar reader's, so that both sides name a file alike. */
function decodePath(hex: string): string {
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw mismatch('an entry has a malformed path');
  return Buffer.from(hex, 'hex').toString('utf8');
}

function mismatch(what: string): Failure {
  return new Failure('postgres_protocol', `The backup does not agree with the server's manifest: ${what}.`, {
    hint: 'Nothing of this backup was kept. Try again; if it persists, check the network and the memory of both machines.',
  });
}
