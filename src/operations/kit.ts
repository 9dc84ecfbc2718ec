/**
 * The recovery kit: what a person needs on the worst day, on paper. Where the backups are, what opens them, and the exact commands, with
 * this program and without it. The same document as text and as a printable page; a test runs the commands from its text.
 */

import { toHtml } from './kit/html.ts';
import type { KitInput } from './kit/input.ts';
import { sections } from './kit/sections.ts';
import { toText } from './kit/text.ts';

export { collectKit } from './kit/collect.ts';

export type KitFormat = 'text' | 'html';

export function recoveryKit(input: KitInput, format: KitFormat): string {
  const document = sections(input);
  return format === 'html' ? toHtml(document) : toText(document);
}
