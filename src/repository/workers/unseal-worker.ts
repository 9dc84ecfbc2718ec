/** Entry of an unsealing worker: opens, decompresses, verifies and writes blobs; one request after the other. */
import { asFailure } from '../../base/failure.ts';
import { ThreadPort } from '../../base/thread-port.ts';
import { UnsealFiles } from './unseal-files.ts';
import { Inspector } from './unseal-inspect.ts';
import type { UnsealReply, UnsealRequest, UnsealWorkerData } from './unseal-messages.ts';
import { StretchWriter } from './unseal-stretch.ts';

const port = new ThreadPort<UnsealWorkerData, UnsealRequest, UnsealReply>();
const data = await port.data();
const files = new UnsealFiles(data);
const stretches = new StretchWriter(data.masterKey, data.blobIds, files);
const inspector = new Inspector(data.columns, files, data.blobIds);

function perform(request: UnsealRequest): { readonly bytes: number; readonly damaged: readonly number[] } {
  let bytes = 0;
  switch (request.kind) {
    case 'write':
      return stretches.write(request);
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

port.onRequest((request) => port.post(answer(request)));
