/** The certificate of the port: others renew its files, and it is taken anew when they change and when the configuration is read again. */
import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { Failure } from '../base/failure.ts';
import type { ServerSettings } from '../config/settings.ts';
import type { ServiceWorld } from './world.ts';

type Files = NonNullable<ServerSettings['tls']>;

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export const LEAST_TLS = 'TLSv1.2';
/** ms between two looks at the files. */
const LOOK_EVERY = 10_000;

/** Throws `config_invalid` for files that cannot be read, or are no certificate with its key. */
export async function readCertificate({ cert, key }: Files): Promise<Certificate> {
  try {
    const read = { cert: await readFile(cert), key: await readFile(key) };
    createSecureContext(read);
    return read;
  } catch (cause) {
    throw new Failure('config_invalid', `The certificate cannot be used: ${(cause as Error).message}.`, { cause });
  }
}

/** Until the signal. Connections go on with what they began with; a certificate that cannot be used leaves the one before in use. */
export async function followCertificate(
  server: Server,
  files: Files,
  { clock, log, signal, configuration }: Pick<ServiceWorld, 'clock' | 'log' | 'signal' | 'configuration'>,
): Promise<void> {
  let current = files;
  let known = await timesOf(current);
  const take = async () => {
    known = await timesOf(current);
    try {
      server.setSecureContext({ ...(await readCertificate(current)), minVersion: LEAST_TLS });
      log.info('The certificate was read again.');
    } catch (error) {
      log.error('The new certificate cannot be used; the one before stays.', { error });
    }
  };
  configuration.onChange((now) => {
    now.server().then(
      ({ tls }) => {
        current = tls ?? current;
        return take();
      },
      () => {}, // told by who reads the settings
    );
  });
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY, signal).catch(() => {});
    if (!signal.aborted && (await timesOf(current)) !== known) await take();
  }
}

/** Also tells a file that was put in the place of another within one tick of the disk's clock. */
async function timesOf({ cert, key }: Files): Promise<string> {
  const marks = await Promise.all(
    [cert, key].map((file) =>
      stat(file)
        .then(({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`)
        .catch(() => 'absent'),
    ),
  );
  return marks.join(', ');
}
