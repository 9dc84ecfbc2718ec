/** Uploading a large object in parts. A failure takes its parts away again, so that nothing invisible stays and costs money. */
import type { CompletedPart, CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3';
import { atOnce } from '../../base/at-once.ts';
import { joinParts, sliceParts } from '../bytes.ts';
import { md5, type Requests } from './requests.ts';

/** Parts of one object under way at the same time. */
const CONCURRENT_PARTS = 3;

export interface MultipartRequest {
  readonly key: string;
  /** Bucket, key and retention. */
  readonly target: CreateMultipartUploadCommandInput & { readonly Bucket: string; readonly Key: string };
  readonly parts: readonly Uint8Array[];
  readonly size: number;
  readonly partSize: number;
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Resolves when the service has put the parts together. */
export async function uploadInParts(requests: Requests, request: MultipartRequest): Promise<void> {
  const { target, signal } = request;
  const doing = `writing ${request.key}`;
  const uploadId = await requests.run({ doing, signal }, async ({ sdk, client }, deadline) => {
    const answer = await client.send(new sdk.CreateMultipartUploadCommand(target), { abortSignal: deadline.signal });
    if (!answer.UploadId) throw new Error('the service gave the upload no id');
    return answer.UploadId;
  });
  try {
    await complete(requests, request, uploadId, await uploadParts(requests, request, uploadId));
  } catch (error) {
    await discard(requests, request, uploadId);
    throw error;
  }
}

async function uploadParts(requests: Requests, request: MultipartRequest, UploadId: string): Promise<CompletedPart[]> {
  const count = Math.ceil(request.size / request.partSize);
  const done: CompletedPart[] = [];
  const stop = new AbortController();
  const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal;
  await atOnce(CONCURRENT_PARTS, Array(count).keys(), async (index) => {
    try {
      done[index] = await uploadPart(requests, { ...request, signal }, UploadId, index);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  return done;
}

async function uploadPart(requests: Requests, request: MultipartRequest, UploadId: string, index: number) {
  const { Bucket, Key } = request.target;
  const start = index * request.partSize;
  const Body = joinParts(sliceParts(request.parts, start, Math.min(start + request.partSize, request.size)));
  const PartNumber = index + 1;
  const frame = {
    doing: `writing part ${PartNumber} of ${request.key}`,
    bytes: Body.byteLength,
    signal: request.signal,
  };
  return requests.run(frame, async ({ sdk, client }, deadline) => {
    const input = { Bucket, Key, UploadId, PartNumber, Body, ContentLength: Body.byteLength, ContentMD5: md5(Body) };
    const command = new sdk.UploadPartCommand(input);
    const { ETag } = await client.send(command, { abortSignal: deadline.signal });
    return { PartNumber, ...(ETag === undefined ? {} : { ETag }) };
  });
}

async function complete(requests: Requests, request: MultipartRequest, UploadId: string, Parts: CompletedPart[]) {
  const { Bucket, Key } = request.target;
  const condition = request.ifAbsent ? { IfNoneMatch: '*' } : {};
  await requests.run({ doing: `writing ${request.key}`, signal: request.signal }, ({ sdk, client }, deadline) => {
    const command = new sdk.CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts },
      ...condition,
    });
    return client.send(command, { abortSignal: deadline.signal });
  });
}

/** Best effort: what cannot be discarded now is found by `removeLeftovers` later. */
async function discard(requests: Requests, request: MultipartRequest, UploadId: string): Promise<void> {
  const { Bucket, Key } = request.target;
  const frame = { doing: `discarding the parts of ${request.key}`, signal: undefined };
  await requests
    .run(frame, ({ sdk, client }, deadline) => {
      const command = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
      return client.send(command, { abortSignal: deadline.signal });
    })
    .catch(() => {});
}
