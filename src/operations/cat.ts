/** The bytes of one file of a point: `holdfast cat`. */
import { printable } from '../base/printable.ts';
import { locate, readContent } from '../recovery/browse.ts';
import { notAFile } from './not-a-file.ts';
import { findPoints } from './restore/find-point.ts';
import type { Session } from './session.ts';

export interface CatInput {
  readonly app: string | undefined;
  readonly point: string;
  readonly path: string;
}

/** Hands over the verified bytes in order; stops when `write` says false. Throws `path_unknown`, `data_damaged`, `data_missing`. */
export async function cat(
  session: Session,
  { app, point, path }: CatInput,
  write: (bytes: Buffer) => Promise<boolean>,
): Promise<void> {
  const { indexed, points } = await findPoints(session, app, [point]);
  const { node } = await locate(indexed, points[0]!, path);
  if (node?.type !== 'file' || node.content === undefined) {
    const look = `holdfast ls ${point} ${printable(path)}`.trim();
    throw notAFile(path, node, { list: `What is in it: ${look}`, hint: `Look with "${look}".` });
  }
  for await (const bytes of readContent(indexed, node.content)) {
    session.signal.throwIfAborted();
    if (!(await write(bytes))) return;
  }
}
