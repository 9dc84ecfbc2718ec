/**
 * Key files: the master key, sealed under a key derived from one password by scrypt. A repository has one per password; all of them
 * hold the same master key. Plain JSON; its name is the SHA-256 of its bytes.
 */
import { createHash, randomBytes, type ScryptOptions, scrypt, scryptSync } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../../base/clock.ts';
import { Failure, isFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import { type JsonObject, parseJsonObject } from '../../base/json-object.ts';
import { type MasterKey, Sealer } from './envelope.ts';

const scryptAsync = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

/** Cost of deriving the key: memory is 128·N·r bytes, time grows with N·r·p. */
export interface ScryptParams {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export interface KeyFileOptions {
  readonly password: string;
  readonly masterKey: MasterKey;
  readonly hostname: string;
  readonly username: string;
  /** RFC 3339. */
  readonly created: string;
  /** From `calibrateScrypt`; the floor when left out. */
  readonly params?: ScryptParams;
}

/** What is never gone below: 32 MiB of memory, a tenth of a second or so. */
export const SCRYPT_FLOOR: ScryptParams = { N: 32768, r: 8, p: 1 };

/** A key file comes from a storage and is read before anything is authenticated: it must not eat memory (256 MiB) or minutes. */
const MAX_N_TIMES_R = 2 ** 21;
const MAX_WORK = 2 ** 25;
const MAX_FILE_SIZE = 65536;
const SALT_SIZE = 64;
const DERIVED_SIZE = 64;
const CALIBRATION_TARGET_MS = 500;
const MAX_CALIBRATED_P = 16;

export function generateMasterKey(): MasterKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
}

/**
 * Parameters that cost about half a second on this machine. Memory stays at 32 MiB, so that a small server can open the repository too;
 * time is spent through `p`. Takes as long as one derivation at the floor.
 */
export function calibrateScrypt(clock: Clock): ScryptParams {
  const begin = clock.monotonic();
  derive('calibration', Buffer.alloc(SALT_SIZE), SCRYPT_FLOOR);
  const elapsed = Math.max(1, clock.monotonic() - begin);
  const p = Math.min(MAX_CALIBRATED_P, Math.max(1, Math.round(CALIBRATION_TARGET_MS / elapsed)));
  return { ...SCRYPT_FLOOR, p };
}

/** The bytes of a new key file and the id under which they are stored. Blocks for as long as the derivation takes. */
export function createKeyFile(options: KeyFileOptions): { readonly bytes: Buffer; readonly id: Id } {
  const params = options.params ?? SCRYPT_FLOOR;
  checkParams(params);
  const salt = randomBytes(SALT_SIZE);
  const { encrypt, macK, macR } = options.masterKey;
  const plaintext = JSON.stringify({ mac: { k: base64(macK), r: base64(macR) }, encrypt: base64(encrypt) });
  const file = {
    created: options.created,
    username: options.username,
    hostname: options.hostname,
    kdf: 'scrypt',
    ...{ N: params.N, r: params.r, p: params.p },
    salt: base64(salt),
    data: base64(new Sealer(derive(options.password, salt, params)).seal(Buffer.from(plaintext))),
  };
  const bytes = Buffer.from(JSON.stringify(file));
  return { bytes, id: createHash('sha256').update(bytes).digest('hex') as Id };
}

/**
 * The master key in a key file, or undefined when the password is not the one of this file. Throws `repository_damaged` on a file that
 * is malformed or asks for more than 256 MiB of memory or 128 times the work of the floor. Derives on a thread of its own.
 */
export async function openKeyFile(bytes: Uint8Array, password: string): Promise<MasterKey | undefined> {
  const { params, salt, data } = parseKeyFile(bytes);
  const sealer = new Sealer(await deriveAside(password, salt, params));
  try {
    return parseMasterKey(sealer.open(data));
  } catch (error) {
    if (isFailure(error, 'data_damaged')) return undefined;
    throw error;
  }
}

function derive(password: string, salt: Uint8Array, params: ScryptParams): MasterKey {
  return asKey(scryptSync(password, salt, DERIVED_SIZE, withMemory(params)));
}

async function deriveAside(password: string, salt: Uint8Array, params: ScryptParams): Promise<MasterKey> {
  return asKey(await scryptAsync(password, salt, DERIVED_SIZE, withMemory(params)));
}

function withMemory({ N, r, p }: ScryptParams): ScryptOptions {
  return { N, r, p, maxmem: 128 * r * (N + p) + 1024 * 1024 };
}

function asKey(derived: Buffer): MasterKey {
  return { encrypt: derived.subarray(0, 32), macK: derived.subarray(32, 48), macR: derived.subarray(48, 64) };
}

function checkParams({ N, r, p }: ScryptParams): void {
  const whole = [N, r, p].every((value) => Number.isSafeInteger(value) && value >= 1);
  const powerOfTwo = N > 1 && N <= MAX_N_TIMES_R && (N & (N - 1)) === 0;
  if (!whole || !powerOfTwo) throw damaged('its scrypt parameters make no sense');
  if (N * r > MAX_N_TIMES_R || N * r * p > MAX_WORK)
    throw damaged('its scrypt parameters ask for too much memory or work');
}

function parseKeyFile(bytes: Uint8Array): { params: ScryptParams; salt: Buffer; data: Buffer } {
  if (bytes.length > MAX_FILE_SIZE) throw damaged('it is too large');
  const file = parseObject(bytes);
  if (file.kdf !== 'scrypt') throw damaged('its key derivation is not scrypt');
  const params = { N: file.N, r: file.r, p: file.p } as ScryptParams;
  checkParams(params);
  const salt = fromBase64(file.salt);
  if (salt.length !== SALT_SIZE) throw damaged('its salt does not have 64 bytes');
  return { params, salt, data: fromBase64(file.data) };
}

function parseMasterKey(plaintext: Buffer): MasterKey {
  const { mac, encrypt } = parseObject(plaintext);
  const parts = typeof mac === 'object' && mac !== null ? (mac as Record<string, unknown>) : {};
  const key = { encrypt: fromBase64(encrypt), macK: fromBase64(parts.k), macR: fromBase64(parts.r) };
  if (key.encrypt.length !== 32 || key.macK.length !== 16 || key.macR.length !== 16) {
    throw damaged('the master key inside has the wrong size');
  }
  return key;
}

function parseObject(bytes: Uint8Array): JsonObject {
  const object = parseJsonObject(Buffer.from(bytes).toString());
  if (object === undefined) throw damaged('it is not a JSON object');
  return object;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
    throw damaged('a field is not base64');
  }
  return Buffer.from(value, 'base64');
}

function damaged(why: string): Failure {
  return new Failure('repository_damaged', `A key file of the repository is malformed: ${why}.`, {
    hint: 'Copy the object from another storage ("holdfast sync"), or remove it if another password still opens the repository.',
  });
}
