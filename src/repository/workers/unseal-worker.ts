/** Entry of an unsealing worker: opens, decompresses, verifies and writes blobs; one request after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { asFailure, isFailure } from '../../base/failure.ts';
import { BlobOpener } from './unseal-blob.ts';
import { UnsealFiles } from './unseal-files.ts';
import { Inspector } from './unseal-inspect.ts';
import { BLOB_WORDS, type UnsealReply, type UnsealRequest, type UnsealWorkerData } from './unseal-messages.ts';

const data = workerData as UnsealWorkerData;
const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');

const opener = new BlobOpener(data.masterKey);
const files = new UnsealFiles(data);
const inspector = new Inspector(data.columns, files, data.blobIds);

function write(bytes: Uint8Array, blobs: Uint32Array, refs: Uint32Array): { bytes: number; damaged: number[] } {
  const damaged: number[] = [];
  let written = 0;
  for (let blob = 0; blob * BLOB_WORDS < blobs.length; blob++) {
    const [offset, length, plainLength, row, from, to] = blobs.subarray(blob * BLOB_WORDS, (blob + 1) * BLOB_WORDS);
    const plain = open(bytes.subarray(offset!, offset! + length!), plainLength!, row!);
    if (plain === undefined) damaged.push(blob);
    else {
      written += files.place(plain, refs.subarray(from!, to!));
      release(plain);
    }
  }
  release(bytes);
  return { bytes: written, damaged };
}

/** Frees memory at once that would otherwise wait for the garbage collector, and a restore makes much of it. */
function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}

/** The verified plaintext, or undefined when it is not what it should be. */
function open(sealed: Uint8Array, plainLength: number, row: number): Buffer | undefined {
  try {
    return opener.open(sealed, plainLength, new Uint8Array(data.blobIds, row * 32, 32));
  } catch (error) {
    if (isFailure(error, 'data_damaged')) return undefined;
    throw error;
  }
}

function perform(request: UnsealRequest): { bytes: number; damaged: number[] } {
  let bytes = 0;
  switch (request.kind) {
    case 'write':
      return write(request.bytes, request.blobs, request.refs);
    case 'empty':
      for (const row of request.rows) files.createEmpty(row);
      break;
    case 'inspect':
      for (const row of request.rows) bytes += inspector.inspect(row);
      break;
    case 'close':
      files.closeAll();
  }
  return { bytes, damaged: [] };
}

function answer(request: UnsealRequest): UnsealReply {
  const { job } = request;
  try {
    const { bytes, damaged } = perform(request);
    const { problems, filesDone } = files;
    files.problems = [];
    files.filesDone = 0;
    return { kind: 'done', job, bytes, damaged, problems, files: filesDone };
  } catch (error) {
    const { code, message, hint } = asFailure(error);
    return { kind: 'failed', job, code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

port.on('message', (request: UnsealRequest) => port.postMessage(answer(request)));
