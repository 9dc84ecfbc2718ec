/** The certificate of the service: two files, read together, and again when they change, as programs that renew certificates do it. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

const LOOK_EVERY_MS = 60_000;

/** Throws `config_invalid` when a file cannot be read, is none, or the key is not that of the certificate. */
export async function readTls({ cert, key }: TlsFiles): Promise<TlsPair> {
  try {
    const pair = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new Failure(
      'config_invalid',
      `The certificate in ${cert} and ${key} cannot be used: ${(cause as Error).message}.`,
      {
        hint: 'Both files hold PEM, and the key belongs to the first certificate.',
        cause,
      },
    );
  }
}

/**
 * Until `signal` fires: whenever the files hold another pair, `renew` gets it. One that does not fit (a new certificate beside the old key, for
 * a moment) is told to `warn` once, and the one in use stays.
 */
export async function watchTls(
  files: TlsFiles,
  used: TlsPair,
  {
    clock,
    signal,
    renew,
    warn,
  }: { readonly clock: Clock; readonly signal: AbortSignal; renew(pair: TlsPair): void; warn(message: string): void },
): Promise<void> {
  let current = used;
  let told = '';
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      const pair = await readTls(files);
      if (pair.cert !== current.cert || pair.key !== current.key) renew(pair);
      current = pair;
      told = '';
    } catch (error) {
      const message = (error as Error).message;
      if (message !== told) warn(message);
      told = message;
    }
  }
}
