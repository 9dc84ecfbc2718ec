/** What is in points: listings, files, archives, searches, differences. */
import * as endpoints from '../../api/points.ts';
import { Failure } from '../../base/failure.ts';
import { diff } from '../../operations/diff.ts';
import { type OpenedFile, openFile } from '../../operations/download.ts';
import { find } from '../../operations/find.ts';
import { listTree } from '../../operations/list-tree.ts';
import type { Session } from '../../operations/session.ts';
import type { Api } from '../api.ts';
import { attachment, type HeaderList, orRelease, type Place, releasing, sendArchive } from '../archive.ts';
import { meantApp } from '../ask-run.ts';
import { names } from '../etag.ts';
import { type Range, rangeOf } from '../range.ts';
import type { Reads } from '../reads.ts';
import type { Produce } from '../streamed.ts';

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** `downloads` are slow by nature and have places of their own. */
export function registerContent(api: Api, reads: Reads, downloads: Reads): void {
  api.route(endpoints.listEntries, async ({ params, query, request, signal }) => {
    const input = {
      app: meantApp(api, query.app),
      point: params.point,
      path: pathOf(query),
      recursive: query.recursive,
    };
    return held(reads, signal, request, JSON_HEADERS, async (session, write) => {
      let any = false;
      const complete = await listed(session, input, async (entries) => {
        const text = entries.map((entry) => JSON.stringify(entry)).join(',');
        const begin = any ? ',' : '[';
        any = true;
        return write(begin + text);
      });
      if (complete) await write(any ? ']' : '[]');
    });
  });

  api.route(endpoints.readFile, async ({ params, query, request, signal }) => {
    const input = { app: meantApp(api, query.app), point: params.point, path: pathOf(query) };
    const place = await downloads.hold(signal);
    return sendFile(request, await orRelease(place, openFile(place.session, input)), place);
  });

  api.route(endpoints.readArchive, async ({ params, query, request, signal }) => {
    const asked = { app: meantApp(api, query.app), point: params.point, path: pathOf(query), format: query.format };
    return sendArchive(downloads, { request, signal }, asked);
  });

  api.route(endpoints.findFiles, async ({ query, signal }) => {
    const app = meantApp(api, query.app);
    return { body: await reads.use(signal, (session) => find(session, { app, pattern: query.pattern })) };
  });

  api.route(endpoints.diffPoints, async ({ query: { from, to, ...query }, request, signal }) => {
    const app = meantApp(api, query.app);
    return held(reads, signal, request, JSON_HEADERS, async (session, write) => {
      let any = false;
      let gone = false;
      const summary = await diff(session, { app, from, to }, async (changes) => {
        const text = changes.map((change) => JSON.stringify(change)).join(',');
        gone = !(await write(`${any ? ',' : '{"changes":['}${text}`));
        any = true;
        return !gone;
      });
      if (!gone) await write(`${any ? '' : '{"changes":['}],"summary":${JSON.stringify(summary)}}`);
    });
  });
}

/** False: nobody wanted the rest. */
async function listed(
  session: Session,
  input: Parameters<typeof listTree>[1],
  visit: Parameters<typeof listTree>[2],
): Promise<boolean> {
  let wanted = true;
  await listTree(session, input, async (entries) => {
    wanted = await visit(entries);
    return wanted;
  });
  return wanted;
}

async function held(
  reads: Reads,
  signal: AbortSignal,
  request: Request,
  headers: HeaderList,
  produce: (session: Session, write: Parameters<Produce>[0]) => Promise<void>,
): Promise<Response> {
  const place = await reads.hold(signal);
  return releasing(place, request, headers, (write) => produce(place.session, write));
}

async function sendFile(request: Request, file: OpenedFile, place: Place): Promise<Response> {
  const etag = `"${file.version.slice(0, 40)}"`;
  const headers = { etag, 'cache-control': 'private, no-store', 'accept-ranges': 'bytes' };
  const end = async (status: number, more: HeaderList = {}) => {
    await place[Symbol.asyncDispose]();
    return new Response(null, { status, headers: { ...headers, ...more } });
  };
  if (names(request.headers.get('if-none-match'), etag)) return end(304);
  const condition = request.headers.get('if-range');
  const asked = condition === null || condition === etag ? request.headers.get('range') : null;
  const range = rangeOf(asked, file.size);
  if (range === 'unsatisfiable') return end(416, { 'content-range': `bytes */${file.size}` });
  const { from, to } = range ?? { from: 0, to: file.size };
  const all = {
    ...headers,
    'content-type': 'application/octet-stream',
    'content-disposition': attachment(file.name),
    'content-length': String(to - from),
  };
  const response = await releasing(place, request, all, async (write) => {
    for await (const bytes of file.read(from, to)) if (!(await write(bytes))) return;
  });
  return range === undefined ? response : partial(response, range, file.size);
}

function partial(response: Response, { from, to }: Range, size: number): Response {
  const headers = new Headers(response.headers);
  headers.set('content-range', `bytes ${from}-${to - 1}/${size}`);
  return new Response(response.body, { status: 206, headers });
}

function pathOf({ path, path_base64: bytes }: { path: string; path_base64?: string | undefined }): string | Buffer {
  if (bytes === undefined) return path;
  if (path !== '') throw new Failure('request_invalid', 'Either path or path_base64, not both.');
  return Buffer.from(bytes, 'base64url');
}
