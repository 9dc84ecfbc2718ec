/** Listing a bucket page by page. What does not look like one of our keys is left out. */
import type { _Object } from '@aws-sdk/client-s3';
import { Failure } from '../../base/failure.ts';
import { isKey } from '../keys.ts';
import type { ObjectInfo } from '../object-store.ts';
import type { Requests } from './requests.ts';

export interface Place {
  readonly storage: string;
  readonly bucket: string;
  /** In front of every key: `prefix/` or nothing. */
  readonly keyPrefix: string;
}

export async function* listPages(
  requests: Requests,
  { storage, bucket, keyPrefix }: Place,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ObjectInfo[]> {
  const query = { Bucket: bucket, Prefix: keyPrefix + prefix, MaxKeys: 1000 };
  const frame = { doing: `listing ${prefix || 'everything'}`, signal };
  let token: string | undefined;
  do {
    const from = token === undefined ? {} : { ContinuationToken: token };
    const answer = await requests.run(frame, ({ sdk, client }, deadline) =>
      client.send(new sdk.ListObjectsV2Command({ ...query, ...from }), { abortSignal: deadline.signal }),
    );
    const page = (answer.Contents ?? []).flatMap((object) => infoOf(object, query.Prefix, keyPrefix.length));
    if (page.length > 0) yield page;
    const next = answer.IsTruncated ? answer.NextContinuationToken : undefined;
    if (answer.IsTruncated && (next === undefined || next === token)) throw goesInCircles(storage);
    token = next;
  } while (token !== undefined);
}

function infoOf(object: _Object, prefix: string, skip: number): ObjectInfo[] {
  const { Key, Size } = object;
  if (Key === undefined || !Key.startsWith(prefix)) return [];
  const key = Key.slice(skip);
  if (!isKey(key) || !Number.isSafeInteger(Size) || Size! < 0) return [];
  return [{ key, size: Size! }];
}

function goesInCircles(storage: string): Failure {
  return new Failure('storage_misbehaves', `${storage}: the service says that the listing goes on, but not where.`, {
    hint: 'This service does not list buckets as the S3 protocol asks; use another.',
  });
}
