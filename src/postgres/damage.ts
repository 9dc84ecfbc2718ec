/** Damaged pages as the server reports them during a base backup: one warning per page, at most five per file, then a total. */
import type { ServerMessage } from './server-error.ts';

export interface DamagedPages {
  /** Relative path of the relation file, or the server's own words where they name none. */
  readonly path: string;
  /** Block numbers (of 8 KiB, usually) that were named; the server names the first five of a file. */
  readonly blocks: readonly number[];
}

const PAGE_OF_FILE = /"(?:\.\/)?([^"]+)"[^\d]*(\d+)?/;

/** Adds what a warning says about damaged pages to `damaged`, keyed by path; other notices are left alone. */
export function damageFromNotice(notice: ServerMessage, damaged: Map<string, DamagedPages>): void {
  if (!aboutChecksums(notice)) return;
  const match = PAGE_OF_FILE.exec(notice.message);
  const path = match?.[1] ?? notice.message;
  const known = damaged.get(path)?.blocks ?? [];
  // "…failed in file "x", block 3: calculated…"; totals and "no more will be reported" name the file without a block.
  const block = /block\s|Block\s|,\s*\p{L}+\s+\d+\s*:/u.test(notice.message) ? match?.[2] : undefined;
  const blocks = block === undefined || known.includes(Number(block)) ? known : [...known, Number(block)];
  damaged.set(path, { path, blocks });
}

/** Messages may be translated; a quoted relation file in a warning of class 01 or XX is about a page. */
function aboutChecksums(notice: ServerMessage): boolean {
  if (/checksum/i.test(notice.message)) return true;
  return (
    notice.sqlstate === 'XX001' ||
    (notice.sqlstate === '01000' && /"\.?\/?(base|global|pg_tblspc)\//.test(notice.message))
  );
}
