/** `UPLOAD_MANIFEST`: tells the server what an incremental backup on the same connection builds on. */
import type { Failure } from '../base/failure.ts';
import { copyDoneMessage, decodeServerMessage, frontendMessage, MESSAGE } from './protocol/messages.ts';
import type { Receiver, ReplicationConnection } from './replication-connection.ts';
import { type ServerMessage, serverFailure } from './server-error.ts';

/** Bytes of one CopyData message. */
const PART = 64 * 1024;

/** Resolves when the server has understood the manifest; throws what it says of it. */
export function uploadManifest(connection: ReplicationConnection, manifest: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.converse('UPLOAD_MANIFEST', new ManifestUpload(connection, manifest, resolve, reject));
  });
}

class ManifestUpload implements Receiver {
  readonly #connection: ReplicationConnection;
  readonly #manifest: Buffer;
  readonly #resolve: () => void;
  readonly #reject: (error: Failure) => void;
  #error: ServerMessage | undefined;

  constructor(
    connection: ReplicationConnection,
    manifest: Buffer,
    resolve: () => void,
    reject: (error: Failure) => void,
  ) {
    this.#connection = connection;
    this.#manifest = manifest;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  message(type: number, payload: Buffer): void {
    if (type === MESSAGE.copyIn) this.#send();
    else if (type === MESSAGE.error) this.#error = decodeServerMessage(payload);
    else if (type === MESSAGE.ready) this.#end();
  }

  failed(error: Failure): void {
    this.#reject(error);
  }

  #send(): void {
    for (let at = 0; at < this.#manifest.length; at += PART) {
      this.#connection.send(frontendMessage('d', this.#manifest.subarray(at, at + PART)));
    }
    this.#connection.send(copyDoneMessage());
  }

  #end(): void {
    if (this.#error) this.#reject(serverFailure(this.#error, 'UPLOAD_MANIFEST', 'postgres_backup_failed'));
    else this.#resolve();
  }
}
