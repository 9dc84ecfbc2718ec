/** Directories of points as archives, sent while they are made; the place that was taken for it is given back at the end. */
import { type DownloadInput, openDirectory } from '../operations/download.ts';
import { tarStream } from '../operations/tar-stream.ts';
import { zipStream } from './archive/zip.ts';
import type { Reads } from './reads.ts';
import { type Produce, streamed } from './streamed.ts';

const ARCHIVES = {
  tar: { type: 'application/x-tar', write: tarStream },
  zip: { type: 'application/zip', write: zipStream },
} as const;

export async function sendArchive(
  downloads: Reads,
  { request, signal }: { readonly request: Request; readonly signal: AbortSignal },
  { format, ...input }: DownloadInput & { readonly format: keyof typeof ARCHIVES },
): Promise<Response> {
  const { type, write: toArchive } = ARCHIVES[format];
  const place = await downloads.hold(signal);
  const directory = await orRelease(place, openDirectory(place.session, input));
  const name = directory.name.length > 0 ? directory.name : Buffer.from(`${input.app}-${input.point.slice(0, 8)}`);
  const disposition = attachment(Buffer.concat([name, Buffer.from(`.${format}`)]));
  const headers = { 'content-type': type, 'content-disposition': disposition, 'cache-control': 'no-store' };
  return releasing(place, request, headers, async (write) => {
    for await (const bytes of toArchive(directory.entries(), name)) if (!(await write(bytes))) return;
  });
}

export type Place = Awaited<ReturnType<Reads['hold']>>;
export type HeaderList = Readonly<Record<string, string>>;

/** The place is given back when the answer has ended, however it ended. */
export function releasing(place: Place, request: Request, headers: HeaderList, produce: Produce): Promise<Response> {
  return streamed(request, headers, async (write) => {
    try {
      await produce(write);
    } finally {
      await place[Symbol.asyncDispose]();
    }
  });
}

export async function orRelease<T>(place: Place, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

/** RFC 6266: a plain name for old programs, the real one in UTF-8. */
export function attachment(name: Buffer): string {
  const text = name.toString();
  const plain = text.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(text).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
