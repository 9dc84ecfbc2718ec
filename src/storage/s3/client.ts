/**
 * The SDK, loaded when the first request is made: commands that touch no bucket start without it. Everything it would otherwise look up
 * in the environment or in profile files is set here.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { S3Client } from '@aws-sdk/client-s3';
import { checkedEndpoint, DEFAULT_CONNECTIONS, DEFAULT_TIMEOUTS, regionOf, type S3StoreOptions } from './options.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');

export interface Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

export async function connect(options: S3StoreOptions): Promise<Connection> {
  const sdk = await import('@aws-sdk/client-s3');
  const endpoint = checkedEndpoint(options);
  const client = new sdk.S3Client({
    ...(endpoint ? { endpoint: endpoint.href } : { ignoreConfiguredEndpointUrls: true }),
    region: regionOf(options),
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    credentials: credentialsOf(options),
    // Our own wrapper tries again, with a bound and a report.
    maxAttempts: 1,
    retryMode: 'standard',
    followRegionRedirects: false,
    // Newer checksums are unknown to many services; Content-MD5 is understood by all.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: handlerOptions(options),
    defaultsMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: true,
  });
  if (endpoint?.protocol !== 'http:') leaveBodiesUnsigned(client);
  return { sdk, client };
}

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: S3StoreOptions) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function handlerOptions(options: S3StoreOptions) {
  const { connect: connectionTimeout, idle: socketTimeout } = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const pool = { keepAlive: true, maxSockets: options.connections ?? DEFAULT_CONNECTIONS };
  const trust = options.certificateAuthorities ? { ca: [...rootCertificates, options.certificateAuthorities] } : {};
  return {
    connectionTimeout,
    socketTimeout,
    httpAgent: new HttpAgent(pool),
    httpsAgent: new HttpsAgent({ ...pool, ...trust }),
  };
}

/** Over TLS, Content-MD5 is enough: hashing every pack with SHA-256 once more for each storage would cost as much as sealing it. */
function leaveBodiesUnsigned(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      const isUpload = context.commandName === 'PutObjectCommand' || context.commandName === 'UploadPartCommand';
      const { headers } = args.request as { headers: Record<string, string> };
      if (isUpload) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'leaveBodiesUnsigned' },
  );
}
