/** A notice as an HTML page that mail programs show: no scripts, no images, styles at the elements. */
import { html } from '../../base/html.ts';
import type { Notice } from '../notice.ts';
import { body, facts, headline } from '../words.ts';

const COLOURS: Readonly<Record<string, string>> = {
  INFO: '#2f6fb2',
  WARNING: '#a86500',
  ERROR: '#c0362c',
  CRITICAL: '#8b0f1a',
};
const RESOLVED = '#2e7d4f';

export function htmlPage(notice: Notice): string {
  const { alert, event, link } = notice;
  const colour = event === 'resolve' || alert === undefined ? RESOLVED : (COLOURS[alert.severity] ?? '#444444');
  const paragraphs = body(notice)
    .split('\n\n')
    .map((text) => `<p style="margin:0 0 12px">${html(text).replaceAll('\n', '<br>')}</p>`)
    .join('\n');
  const rows = facts(notice)
    .map(
      ([name, value]) =>
        `<tr><th scope="row" style="padding:2px 12px 2px 0;color:#5f5f5f;font-weight:normal;text-align:left;vertical-align:top">${html(name)}</th><td style="padding:2px 0">${html(value)}</td></tr>`,
    )
    .join('\n');
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${html(headline(notice))}</title></head>`,
    '<body style="font:16px/1.5 sans-serif;color:#1c1c1c;background:#ffffff;margin:0;padding:20px;max-width:44rem;overflow-wrap:anywhere">',
    `<h1 style="font-size:18px;margin:0 0 14px;padding-left:10px;border-left:5px solid ${colour}">${html(headline(notice))}</h1>`,
    paragraphs,
    rows === '' ? '' : `<table style="border-collapse:collapse;font-size:14px">\n${rows}\n</table>`,
    link === undefined ? '' : `<p><a href="${html(link)}">${html(link)}</a></p>`,
    '</body></html>',
  ]
    .filter((part) => part !== '')
    .join('\n');
}
