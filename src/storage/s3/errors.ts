/** What an S3 service's answers, or its silence, mean. */
import { Failure, type FailureCode } from '../../base/failure.ts';

export interface Asked {
  /** The storage's name. */
  readonly storage: string;
  readonly bucket: string;
  /** What was being done: "writing config". */
  readonly doing: string;
}

interface Meaning {
  readonly code: FailureCode;
  readonly text: string;
  readonly hint?: string;
}

const CREDENTIALS = 'Check accessKeyId and secretAccessKey of this storage, and what the key is allowed to do.';
const LATER = 'The service may be overloaded or down; look at its status.';
const ENDPOINT = 'Check endpoint, region and pathStyle of this storage.';
const SPACE = 'Raise the quota, or free space: holdfast prune removes what retention no longer needs.';

const refused = (text: string, hint: string): Meaning => ({ code: 'storage_refused', text, hint });
const unreachable = (text: string, hint: string = LATER): Meaning => ({ code: 'storage_unreachable', text, hint });
const full = (text: string): Meaning => ({ code: 'storage_full', text, hint: SPACE });

/** By the error's name: what the service calls it, or Node's code for the connection. */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: refused(
    'the bucket does not exist',
    'Create the bucket, or check bucket, endpoint and region of this storage.',
  ),
  InvalidBucketName: refused('the bucket name is not valid', 'Check the bucket of this storage.'),
  InvalidAccessKeyId: refused('the access key is unknown', CREDENTIALS),
  SignatureDoesNotMatch: refused('the secret key does not match the access key', CREDENTIALS),
  ExpiredToken: refused('the session token has expired', 'Get new temporary credentials.'),
  InvalidToken: refused('the session token is not valid', 'Get new temporary credentials.'),
  RequestTimeTooSkewed: refused("this machine's clock is wrong", 'Set the clock (NTP) and try again.'),
  AuthorizationHeaderMalformed: refused('the region is wrong', ENDPOINT),
  AccessDenied: refused('access denied', CREDENTIALS),
  QuotaExceeded: full('the quota is used up'),
  XMinioStorageFull: full('the service has no space left'),
  BadDigest: unreachable('the bytes changed on the way', 'Look at the network, and at the memory of this machine.'),
  XAmzContentSHA256Mismatch: unreachable(
    'the bytes changed on the way',
    'Look at the network, and at the memory of this machine.',
  ),
  SlowDown: unreachable('asked to slow down', 'Lower connections of this storage.'),
  TimeoutError: unreachable('timed out', ENDPOINT),
  ECONNREFUSED: unreachable('connection refused', ENDPOINT),
  ECONNRESET: unreachable('connection lost'),
  EPIPE: unreachable('connection lost'),
  ENOTFOUND: unreachable('the host name is unknown', ENDPOINT),
  EAI_AGAIN: unreachable('the host name cannot be looked up at the moment', ENDPOINT),
  EHOSTUNREACH: unreachable('no route to the host', ENDPOINT),
  ENETUNREACH: unreachable('no network', ENDPOINT),
};

const TLS = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

/** Turns what the SDK threw into the Failure people see. Never call it for a call that was aborted. */
export function s3Failure(asked: Asked, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code, text, hint } = meaningOf(error);
  const said = saidBy(error);
  const message = `${asked.storage}: ${asked.doing} in bucket ${asked.bucket}: ${text}${said ? ` (${said})` : ''}.`;
  return new Failure(code, message, { ...(hint === undefined ? {} : { hint }), cause: error });
}

function meaningOf(error: unknown): Meaning {
  if (isFull(error)) return full('the storage cap is reached');
  const names = namesOf(error);
  const named = names.map((name) => BY_NAME[name]).find((meaning) => meaning !== undefined);
  if (named) return named;
  if (names.some((name) => TLS.test(name))) {
    return refused(
      'the certificate cannot be trusted',
      'Check the endpoint; for a private authority set NODE_EXTRA_CA_CERTS.',
    );
  }
  return byStatus(statusOf(error));
}

/** Backblaze B2 reports a reached storage cap as plain AccessDenied. */
function isFull(error: unknown): boolean {
  return error instanceof Error && /\bcap exceeded\b/i.test(error.message);
}

function byStatus(status: number | undefined): Meaning {
  if (status === undefined) return unreachable('no usable answer', ENDPOINT);
  if (status === 507) return full('the service has no space left');
  if (status === 501) return refused('the service does not know this request', ENDPOINT);
  if (status >= 500 || status === 408 || status === 429) return unreachable(`the service answers ${status}`);
  if (status === 401 || status === 403) return refused('access denied', CREDENTIALS);
  if (status >= 300 && status < 400) return refused('the service redirects elsewhere, which is not followed', ENDPOINT);
  if (status >= 400) return refused(`the service answers ${status}`, ENDPOINT);
  return unreachable('the answer makes no sense', ENDPOINT);
}

/** HTTP status of the answer, if there was one. */
export function statusOf(error: unknown): number | undefined {
  const { $metadata, $response } = Object(error) as {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
  };
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** The error's own name and codes, and those of its causes. */
function namesOf(error: unknown): string[] {
  const names: string[] = [];
  let next: unknown = error;
  for (let depth = 0; depth < 5 && next instanceof Error; depth++, next = next.cause) {
    if ('code' in next && typeof next.code === 'string') names.push(next.code);
    names.push(next.name);
  }
  return names;
}

/** Whether the service calls it `name`. */
export function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

/** The service's own words, made safe to print. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const words = error.message.replace(/[^\x20-\x7e]+/g, ' ').trim();
  const text =
    words === '' || words === error.name || words === 'UnknownError' ? error.name : `${error.name}: ${words}`;
  return text.slice(0, 300).replace(/\.$/, '');
}
