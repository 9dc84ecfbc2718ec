/** The repository's `config`: sealed plain JSON that says which format this is. Its name is fixed; everything else is named by hash. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../../base/failure.ts';
import { type Id, idFromBytes, isId } from '../../base/ids.ts';
import { type JsonObject, parseJsonObject } from '../../base/json-object.ts';
import { randomPolynomial } from './polynomial.ts';

export interface RepositoryConfig {
  readonly version: 2;
  /** Random; names the repository, for instance to caches. */
  readonly id: Id;
  /** Hex digits of an irreducible polynomial over GF(2). Other programs cut with it and refuse one that is reducible. */
  readonly chunker_polynomial: string;
}

export function newRepositoryConfig(): RepositoryConfig {
  return { version: 2, id: idFromBytes(randomBytes(32)), chunker_polynomial: randomPolynomial().toString(16) };
}

/** The plaintext of the `config` object. */
export function encodeConfig({ version, id, chunker_polynomial }: RepositoryConfig): Buffer {
  return Buffer.from(JSON.stringify({ version, id, chunker_polynomial }));
}

/** Reads the plaintext of `config`; fields of other programs are ignored. Throws `repository_damaged` or `repository_unsupported`. */
export function parseConfig(plaintext: Uint8Array): RepositoryConfig {
  const { version, id, chunker_polynomial } = parseObject(plaintext);
  if (version !== 2) {
    throw new Failure(
      'repository_unsupported',
      `The repository has format version ${JSON.stringify(version)}; only version 2 is read.`,
      {
        hint: version === 1 ? 'Upgrade it with "restic migrate upgrade_repo_v2".' : 'Use a newer release of Holdfast.',
      },
    );
  }
  if (typeof id !== 'string' || !isId(id)) throw damaged('its id is not 64 hex digits');
  if (typeof chunker_polynomial !== 'string' || !/^[0-9a-f]{1,16}$/.test(chunker_polynomial)) {
    throw damaged('its chunker polynomial is not a hex number');
  }
  return { version, id, chunker_polynomial };
}

function parseObject(plaintext: Uint8Array): JsonObject {
  const object = parseJsonObject(Buffer.from(plaintext).toString());
  if (object === undefined) throw damaged('it is not a JSON object');
  return object;
}

function damaged(why: string): Failure {
  return new Failure('repository_damaged', `The repository's config is malformed: ${why}.`);
}
