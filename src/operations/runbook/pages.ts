/**
 * The runbook of an app as pages inside each of its points, beside the manifest: whoever can restore has the instructions, of that time,
 * with Holdfast or with restic alone. Sealed like all of the point, for they name commands, addresses and people. Where nothing changed
 * they are the same bytes and cost nothing.
 */
import type { AppSettings } from '../../config/settings.ts';
import { toHtml } from '../kit/html.ts';
import { toText } from '../kit/text.ts';
import { runbookDocument } from './document.ts';
import { newestState, objectiveOf, planSteps } from './steps.ts';

export interface Page {
  /** In the directory of the app. */
  readonly name: string;
  readonly text: string;
}

export const PAGE_NAMES = { text: 'runbook.txt', html: 'runbook.html' } as const;
export type PageFormat = keyof typeof PAGE_NAMES;

export function runbookPages(app: AppSettings): readonly Page[] {
  const steps = planSteps({ app, mode: 'run', target: newestState(app), directory: '/tmp/holdfast-drill' });
  const document = runbookDocument(steps, { app: app.name, objectiveMs: objectiveOf(app), directory: app.directory });
  return [
    { name: PAGE_NAMES.text, text: toText(document) },
    { name: PAGE_NAMES.html, text: toHtml(document) },
  ];
}
