/** Pages that are printed and filed: one HTML document that is complete in itself, and the look that all of them share. */
import { html } from './html.ts';
import { formatUtc } from './relative-time.ts';

export interface PageParts {
  readonly title: string;
  /** What stands above the title, small. */
  readonly kicker: string;
  readonly subtitle: string;
  /** HTML. */
  readonly body: string;
  /** HTML, below everything. */
  readonly footer?: string;
}

/** Nothing in it comes from outside, and nothing runs. */
export function pageHtml({ title, kicker, subtitle, body, footer }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p>${html(kicker)}</p>
<h1>${html(title)}</h1>
<p>${html(subtitle)}</p>
</header>
${body}
${footer === undefined ? '' : `<footer>${footer}</footer>\n`}</main>
</body>
</html>
`;
}

/** Colour is for state only, and never alone: each has its word and its sign. */
export type State = 'good' | 'bad' | 'warn' | 'rest';

const SIGNS: Readonly<Record<State, string>> = { good: '✓', bad: '✗', warn: '!', rest: '–' };

/** A word with the sign and the colour of its state. */
export function markHtml(state: State, word: string): string {
  return `<span class="mark ${state}"><span aria-hidden="true">${SIGNS[state]}</span> ${html(word)}</span>`;
}

/** What came of it, in one sentence that is seen first. */
export function verdictHtml(state: State, headline: string, sentence: string): string {
  return `<div class="verdict ${state}"><strong><span aria-hidden="true">${SIGNS[state]}</span> ${html(headline)}</strong><span>${html(sentence)}</span></div>`;
}

/** Names and what they are. */
export function factsHtml(rows: readonly (readonly [name: string, value: string])[]): string {
  return `<dl>${rows.map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`).join('\n')}</dl>`;
}

/** A command line whose words stay whole where a line of the page ends: `--confirm` is not torn after its hyphens. */
export function commandHtml(line: string): string {
  return line.replace(/ +|[^ ]+/g, (part) => (part.startsWith(' ') ? part : `<span class="word">${html(part)}</span>`));
}

/** Lines to be filled in with a pen. */
export function blanksHtml(labels: readonly string[]): string {
  return `<div class="blanks">${labels.map((label) => `<div>${html(label)}</div>`).join('')}</div>`;
}

/** Where somebody who was not there signs. */
export const SIGNATURE = '<div class="blanks sign"><div>Reviewed by</div><div>Date</div><div>Signature</div></div>';

/** A part of a whole from 0 to 1, as a bar; who does not see it has the figure beside it. */
export function barHtml(part: number): string {
  return `<svg class="bar" aria-hidden="true"><rect width="${Math.round(part * 1000) / 10}%" height="100%" rx="3"/></svg>`;
}

/** `2025-03-01 08:30:00 UTC`, from a time of RFC 3339: for a person who reads it on paper. */
export function timeOnPage(text: string | null): string {
  const at = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? 'unknown' : formatUtc(at).replace('T', ' ').replace('Z', ' UTC');
}

/** Of the pages, and of that of the API: as the reader prefers, in browsers of any age. */
export const COLOURS = `:root { color-scheme: light dark; --page: #f4f5f7; --sheet: #fff; --text: #16191d; --soft: #59636e; --line: #d8dde3; --code: #f3f4f6; --bar: #6b8fb8; --link: #0b5cad;
  --good: #12693a; --good-bg: #e2f3e8; --bad: #a01e1e; --bad-bg: #fbe7e7; --warn: #7a4f00; --warn-bg: #fdf1d8; }
@media (prefers-color-scheme: dark) { :root { --page: #101316; --sheet: #181c20; --text: #e6e9ec; --soft: #9aa5b1; --line: #323940; --code: #22272d; --bar: #5b82ad; --link: #7ab8ff;
  --good: #7fd8a2; --good-bg: #12301f; --bad: #ff9d9d; --bad-bg: #3b1717; --warn: #f1c96b; --warn-bg: #33270d; } }`;

const STYLE = `
${COLOURS}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 2.5rem 3rem; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; }
header p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: .2rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .7rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); break-after: avoid; overflow-wrap: anywhere; text-wrap: balance; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; break-after: avoid; }
p { margin: .7rem 0; max-width: 44rem; overflow-wrap: anywhere; break-inside: avoid; }
.before { break-after: avoid; }
.verdict { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: baseline; margin: 1.2rem 0 0; padding: .9rem 1.1rem; border-radius: 6px;
  border-left: 5px solid currentColor; break-inside: avoid; }
.verdict strong { font-size: 1.2rem; }
.verdict > span { color: var(--text); min-width: 0; overflow-wrap: anywhere; }
.good { color: var(--good); background: var(--good-bg); }
.bad { color: var(--bad); background: var(--bad-bg); }
.warn { color: var(--warn); background: var(--warn-bg); }
.rest { color: var(--soft); background: var(--code); }
.mark { display: inline-block; padding: .05rem .55rem; border-radius: 999px; font-size: .85rem; font-weight: 600; white-space: nowrap; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .3rem 1.4rem; margin: 0; }
dt { color: var(--soft); overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .7rem; margin: 1.2rem 0 0; }
.figures div { padding: .7rem .8rem; border: 1px solid var(--line); border-radius: 6px; break-inside: avoid; }
.figures b { display: block; font-size: 1.15rem; line-height: 1.25; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: .88rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .6rem .45rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; font-size: .88rem; }
tbody th { font-weight: inherit; }
tr { break-inside: avoid; }
td.number, th.number { text-align: right; padding-left: .9rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
.source { color: var(--soft); }
.source::before { content: "· "; }
.of { display: none; }
td ul, th ul { margin: .3rem 0 0; padding-left: 1.1rem; color: var(--soft); font-size: .92rem; }
td li, th li { overflow-wrap: anywhere; }
th ul.wrong { color: var(--bad); }
.bar { display: block; width: 100%; height: .55rem; margin-top: .45rem; fill: var(--bar); }
td.track { width: 40%; }
.plain { margin: 0; padding-left: 1.2rem; max-width: 44rem; }
.plain li { margin: .2rem 0; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
code { font-size: .88em; }
.word { display: inline-block; max-width: 100%; text-indent: 0; }
.commands { margin: .7rem 0; padding: .55rem .8rem; background: var(--code); border: 1px solid var(--line); border-radius: 5px; break-inside: avoid; }
.commands pre { margin: 0; padding-left: 3ch; text-indent: -3ch; font-size: .85rem; line-height: 1.55; white-space: pre-wrap; }
.blanks { display: grid; grid-template-columns: 2fr 3fr 3fr; gap: 2rem; margin-top: 2.3rem; break-inside: avoid; break-before: avoid; }
.blanks div { border-top: 1px solid var(--soft); padding-top: .25rem; color: var(--soft); font-size: .88rem; }
.sign { grid-template-columns: 2fr 1fr 2fr; margin-top: 3.6rem; }
footer { margin-top: 2rem; color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  main { margin: 0; padding: 1.2rem 1rem; border: 0; border-radius: 0; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  td.track, th.track { display: none; }
  .checks thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .checks tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .checks th, .checks td { display: inline-block; border: 0; padding: .1rem .9rem .1rem 0; text-align: left; }
  .checks tbody th { display: block; padding-right: 0; }
  .of { display: inline; }
  .blanks { gap: 1rem; } .sign { grid-template-columns: 1fr; gap: 2.4rem; }
}
@page { size: A4; margin: 15mm 16mm; }
@media print {
  :root { color-scheme: light; --page: #fff; --sheet: #fff; --text: #000; --soft: #444; --line: #bbb; --code: #fff; --bar: #777; --good: #0b4f2a; --good-bg: #fff;
    --bad: #8a0f0f; --bad-bg: #fff; --warn: #5f3d00; --warn-bg: #fff; }
  html { font-size: 10pt; } body { font-size: 10pt; line-height: 1.4; print-color-adjust: exact; } h2 { margin-top: 1.5rem; } th, td { padding-top: .3rem; padding-bottom: .3rem; }
  main { margin: 0; padding: 0; border: 0; max-width: none; }
  p, .plain { max-width: none; }
  .figures { grid-template-columns: repeat(5, 1fr); gap: .5rem; }
  .verdict { border: 1px solid currentColor; border-left-width: 5px; } .mark { border: 1px solid currentColor; }
  .commands { border-color: #888; } .commands pre { font-size: 8pt; }
  .whole { break-inside: avoid; }
}
`;
