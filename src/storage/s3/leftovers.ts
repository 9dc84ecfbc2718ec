/** Multipart uploads of writers that died: invisible, and paid for. */
import type { MultipartUpload } from '@aws-sdk/client-s3';
import { isKey } from '../keys.ts';
import { keyPrefix, type S3StoreOptions } from './options.ts';
import { Requests } from './requests.ts';

/** Discards unfinished uploads of our keys begun before `before` (ms since the epoch); returns how many. */
export async function discardUploads(options: S3StoreOptions, before: number, signal?: AbortSignal): Promise<number> {
  const requests = new Requests(options);
  try {
    const uploads = await unfinished(requests, options, signal);
    const old = uploads.filter(({ Key, Initiated }) => Key && Initiated && Initiated.getTime() < before);
    for (const upload of old) await discard(requests, options, upload, signal);
    return old.length;
  } finally {
    await requests.close();
  }
}

async function unfinished(requests: Requests, options: S3StoreOptions, signal: AbortSignal | undefined) {
  const Prefix = keyPrefix(options);
  const found: MultipartUpload[] = [];
  let from: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (from) {
    const query = { Bucket: options.bucket, Prefix, ...from };
    const answer = await requests.run({ doing: 'listing unfinished uploads', signal }, ({ sdk, client }, deadline) =>
      client.send(new sdk.ListMultipartUploadsCommand(query), { abortSignal: deadline.signal }),
    );
    found.push(
      ...(answer.Uploads ?? []).filter(({ Key = '' }) => Key.startsWith(Prefix) && isKey(Key.slice(Prefix.length))),
    );
    from = nextPage(from, answer);
  }
  return found;
}

function nextPage(
  from: { KeyMarker?: string; UploadIdMarker?: string },
  answer: {
    IsTruncated?: boolean | undefined;
    NextKeyMarker?: string | undefined;
    NextUploadIdMarker?: string | undefined;
  },
) {
  const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = answer;
  if (!IsTruncated || !KeyMarker || !UploadIdMarker) return undefined;
  if (KeyMarker === from.KeyMarker && UploadIdMarker === from.UploadIdMarker) return undefined;
  return { KeyMarker, UploadIdMarker };
}

async function discard(
  requests: Requests,
  { bucket: Bucket }: S3StoreOptions,
  { Key, UploadId }: MultipartUpload,
  signal: AbortSignal | undefined,
): Promise<void> {
  await requests.run({ doing: `discarding an unfinished upload of ${Key}`, signal }, ({ sdk, client }, deadline) =>
    client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: deadline.signal }),
  );
}
