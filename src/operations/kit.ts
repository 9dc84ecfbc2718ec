/**
 * The recovery kit: what a person needs on the worst day, on paper. Where the backups are, what opens them, and the exact commands, with
 * this program and without it. The same document as text and as a printable page; a test runs the commands from its text.
 */

import { toHtml } from './kit/html.ts';
import { sections } from './kit/sections.ts';
import { toText } from './kit/text.ts';

export interface KitStorage {
  readonly name: string;
  readonly type: 'local' | 's3';
  /** For people: a path or endpoint, bucket and prefix. */
  readonly location: string;
  /** What restic calls it: the value of `-r`. */
  readonly restic: string;
  /** For an S3 storage: where its credentials are kept, never what they are. */
  readonly credentials?: string;
}

export interface KitSource {
  readonly name: string;
  readonly type: 'postgres' | 'files' | 'config';
  /** Where a files source was. */
  readonly path?: string;
  /** PostgreSQL's major version, as of the newest point. */
  readonly major?: number;
}

export interface KitApp {
  readonly name: string;
  readonly sources: readonly KitSource[];
  /** RFC 3339 time of the newest point, when there is one. */
  readonly newestPoint?: string;
}

export interface KitInput {
  /** RFC 3339. */
  readonly madeAt: string;
  readonly programVersion: string;
  readonly repositoryId: string;
  /** Short ids of the key files, one for each password. */
  readonly keys: readonly string[];
  /** Where the password is kept, such as `file /etc/holdfast/password`. */
  readonly passwordKept: string;
  /** Only when the operator asked for it on paper. */
  readonly password?: string;
  readonly configFile: string;
  readonly storages: readonly KitStorage[];
  readonly apps: readonly KitApp[];
}

export type KitFormat = 'text' | 'html';

export function recoveryKit(input: KitInput, format: KitFormat): string {
  const document = sections(input);
  return format === 'html' ? toHtml(document) : toText(document);
}
