/**
 * Secrets that have to be read again (those of authenticators) stand in the catalog sealed, under a key that does not lie there: AES-256-GCM
 * with a random nonce, bound to what the secret is for, so that nobody can move one to another account. The key is what `server.key` names, or
 * a file beside a catalog of SQLite, made when it is first needed.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { errno } from '../../base/errno.ts';
import { Failure, isFailure } from '../../base/failure.ts';

export interface KeyPlace {
  /** What `server.key` holds. */
  readonly configured?: string | undefined;
  /** Beside the catalog; undefined: it has no place of its own on this machine. */
  readonly file?: string | undefined;
}

interface Derived {
  readonly key: Buffer;
  /** Tells keys apart, and nothing else. */
  readonly name: string;
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NAME_BYTES = 4;
const FORM = /^s1:([0-9a-f]{8}):([\w-]{38,4096})$/;
const FILE_FORM = /^[\w-]{43}\n?$/;

export class ServerKey {
  readonly #place: KeyPlace;
  #derived: Promise<Derived> | undefined;

  constructor(place: KeyPlace) {
    this.#place = place;
  }

  /** `about`: what it is and whose. Makes the key where that is possible. Throws `server_key_missing`. */
  async seal(secret: string, about: string): Promise<string> {
    const { key, name } = await this.#key(true);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(about));
    const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `s1:${name}:${sealed.toString('base64url')}`;
  }

  /** Throws `server_key_missing`, `server_key_wrong` for what was sealed with another key, for something else, or changed. */
  async open(sealed: string, about: string): Promise<string> {
    const { key, name } = await this.#key(false);
    const [, sealedWith, body = ''] = FORM.exec(sealed) ?? [];
    if (sealedWith !== name) throw wrong('It was sealed with another key than that of this server.');
    const bytes = Buffer.from(body, 'base64url');
    const end = bytes.length - TAG_BYTES;
    try {
      const opener = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      opener.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(end));
      return opener.update(bytes.subarray(NONCE_BYTES, end), undefined, 'utf8') + opener.final('utf8');
    } catch (cause) {
      throw wrong('It was changed in the catalog.', cause);
    }
  }

  #key(make: boolean): Promise<Derived> {
    this.#derived ??= this.#text(make)
      .then(derive)
      .catch((error: unknown) => {
        this.#derived = undefined; // it may be there the next time
        throw error;
      });
    return this.#derived;
  }

  async #text(make: boolean): Promise<string> {
    const { configured, file } = this.#place;
    if (configured !== undefined) return configured;
    if (file === undefined) throw missing('A catalog on PostgreSQL has none beside it.');
    if (make) await makeFile(file);
    return readKey(file);
  }
}

function derive(text: string): Derived {
  const part = (info: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', text, '', `holdfast server ${info}`, bytes));
  return { key: part('key for secrets in the catalog', KEY_BYTES), name: part('key name', NAME_BYTES).toString('hex') };
}

/** All of it or nothing, durable, and once: whoever comes second finds the first one's. */
async function makeFile(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
  } catch (cause) {
    if (errno(cause) !== 'EEXIST') throw missing(`${file} cannot be made: ${(cause as Error).message}.`, cause);
  } finally {
    await rm(draft, { force: true });
  }
}

async function readKey(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (!FILE_FORM.test(text)) throw wrong(`${file} holds no key.`);
    return text.trim();
  } catch (cause) {
    if (isFailure(cause)) throw cause;
    throw missing(`${file} cannot be read: ${(cause as Error).message}.`, cause);
  }
}

function missing(why: string, cause?: unknown): Failure {
  return new Failure('server_key_missing', `The key for the secrets of authenticators is not there. ${why}`, {
    hint: 'Give all servers the same "server.key", such as { file: /etc/holdfast/server.key } with the output of: openssl rand -base64 32',
    cause,
  });
}

function wrong(why: string, cause?: unknown): Failure {
  return new Failure('server_key_wrong', `The secret of this authenticator cannot be opened. ${why}`, {
    hint: 'Bring the old key back. Without it: log in with a recovery code, or have an administrator remove the authenticator.',
    cause,
  });
}
