/** Export packages, rows as files, and the results of runs: streams in both directions, nothing of them held in memory. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import * as endpoints from '../../api/exchange.ts';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { getRun, type Run } from '../../catalog/runs.ts';
import { openPackage } from '../../operations/export-package.ts';
import { EVERY_APP } from '../../scheduler/kinds.ts';
import type { Api } from '../api.ts';
import { attachment, orRelease, releasing } from '../archive.ts';
import { askRun, meantApp } from '../ask-run.ts';
import { Exchange } from '../exchange.ts';
import { type Range, rangeOf } from '../range.ts';
import type { Reads } from '../reads.ts';
import { streamed } from '../streamed.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.tar': 'application/x-tar',
  '.csv': 'text/csv; charset=utf-8',
  '.json': 'application/json',
};

export function registerExchange(api: Api, downloads: Reads): void {
  const { deps } = api;
  const exchange = new Exchange(deps);
  void exchange.keepTidy();

  api.route(endpoints.readPackage, async ({ params, query, request, signal }) => {
    const input = { app: meantApp(api, query.app), point: params.point, programVersion: deps.build.version };
    const place = await downloads.hold(signal);
    const opened = await orRelease(place, openPackage(place.session, input));
    const headers = {
      'content-type': 'application/x-tar',
      'content-disposition': attachment(Buffer.from(`${opened.name}.tar`)),
      'cache-control': 'no-store',
    };
    return releasing(place, request, headers, async (write) => {
      for await (const bytes of opened.bytes()) if (!(await write(bytes))) return;
    });
  });

  api.route(endpoints.createExportPackage, async (call) => {
    const { app, backup: point, reason } = call.body;
    const params = { file: await exchange.newResult('tar'), point };
    return askRun(api, call, { app: meantApp(api, app), kind: 'export', params, ...given('reason', reason) });
  });

  api.route(endpoints.restoreFromFile, async (call) => {
    const { to: target, owner, reason } = call.query;
    const file = await exchange.receive(call.request, api.limits.idle);
    try {
      const params = { file, target, ...given('owner', owner) };
      return await askRun(api, call, { app: EVERY_APP, kind: 'import', params, ...given('reason', reason) });
    } catch (error) {
      await exchange.discard(file);
      throw error;
    }
  });

  api.route(endpoints.exportRows, async (call) => {
    const { app, at, table, format, reason, ...rest } = call.body;
    const params = { ...rest, at, table: [table], to: await exchange.newResult(format) };
    return askRun(api, call, { app: meantApp(api, app), kind: 'rows', params, ...given('reason', reason) });
  });

  api.route(endpoints.getRunResult, async ({ params, allow, request }) => {
    const run = await getRun(deps.catalog.db, params.run);
    if (run === undefined) throw unknownRun();
    allow(run.app, unknownRun);
    const file = await exchange.resultOf(run);
    if (file === undefined) throw noResult(run);
    return sendStored(request, file, run);
  });
}

async function sendStored(request: Request, file: string, run: Run): Promise<Response> {
  const handle = await open(file).catch(() => {
    throw noResult(run);
  });
  const { size } = await handle.stat();
  const etag = `"${run.id}"`;
  const condition = request.headers.get('if-range');
  const range = rangeOf(condition === null || condition === etag ? request.headers.get('range') : null, size);
  if (range === 'unsatisfiable') {
    await handle.close();
    return new Response(null, { status: 416, headers: { 'content-range': `bytes */${size}` } });
  }
  const part = range ?? { from: 0, to: size };
  const headers = {
    ...{ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' },
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': String(part.to - part.from),
    'content-disposition': attachment(Buffer.from(`${run.app}-${run.kind}-${basename(file).slice(-30)}`)),
    ...(range === undefined ? {} : { 'content-range': `bytes ${range.from}-${range.to - 1}/${size}` }),
  };
  const response = await streamed(request, headers, (write) => sendPart(handle, part, write));
  return range === undefined ? response : new Response(response.body, { status: 206, headers: response.headers });
}

/** Closes the file at the end. */
async function sendPart(
  handle: FileHandle,
  { from, to }: Range,
  write: (bytes: Uint8Array) => Promise<boolean>,
): Promise<void> {
  await using _file = handle;
  if (to === from) return;
  const parts = handle.createReadStream({ start: from, end: to - 1, autoClose: false, highWaterMark: 256 * 1024 });
  for await (const bytes of parts) if (!(await write(bytes as Buffer))) return;
}

function unknownRun(): Failure {
  return new Failure('run_unknown', 'There is no such run.', {
    hint: 'List them with "holdfast runs", or GET /api/v1/runs.',
  });
}

function noResult({ state }: Run): Failure {
  const hint = 'Runs of create_export_package and of rows/export have one once they have succeeded, for a while.';
  return new Failure('result_unknown', `There is nothing to download of this run, which is ${state}.`, { hint });
}
