/** The look of a report's page: for a screen, light and dark, wide and narrow, and for paper. Nothing comes from outside. */

export const STYLE = `
:root { color-scheme: light dark; --page: #f4f5f7; --sheet: #fff; --text: #16191d; --soft: #59636e; --line: #d8dde3; --bar: #6b8fb8;
  --good: #12693a; --good-bg: #e2f3e8; --bad: #a01e1e; --bad-bg: #fbe7e7; --warn: #7a4f00; --warn-bg: #fdf1d8; }
@media (prefers-color-scheme: dark) { :root { --page: #101316; --sheet: #181c20; --text: #e6e9ec; --soft: #9aa5b1; --line: #323940;
  --bar: #5b82ad; --good: #7fd8a2; --good-bg: #12301f; --bad: #ff9d9d; --bad-bg: #3b1717; --warn: #f1c96b; --warn-bg: #33270d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 2.5rem 3rem; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; }
header p { margin: 0; color: var(--soft); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .2rem 0 .6rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); break-after: avoid; }
.verdict { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: baseline; margin: 1.2rem 0 0; padding: .9rem 1.1rem; border-radius: 6px;
  border-left: 5px solid currentColor; break-inside: avoid; }
.verdict strong { font-size: 1.15rem; }
.verdict span { color: var(--text); }
.passed { color: var(--good); background: var(--good-bg); }
.failed, .error { color: var(--bad); background: var(--bad-bg); }
.incomplete, .skipped { color: var(--warn); background: var(--warn-bg); }
.mark { display: inline-block; padding: .05rem .5rem; border-radius: 999px; font-size: .82rem; font-weight: 600; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1.4rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1.4rem 0 0; }
.figures div { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: 6px; break-inside: avoid; }
.figures b { display: block; font-size: 1.25rem; line-height: 1.25; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: .85rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .6rem .45rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: .85rem; }
tr { break-inside: avoid; }
td.number, th.number { text-align: right; padding-left: .9rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
.source { color: var(--soft); }
.source::before { content: "· "; }
td ul { margin: .3rem 0 0; padding-left: 1.1rem; color: var(--soft); font-size: .9rem; }
td li { overflow-wrap: anywhere; }
td ul.wrong { color: var(--bad); }
.bar { display: block; height: .55rem; margin-top: .45rem; min-width: 2px; border-radius: 3px; background: var(--bar); }
td.track { width: 40%; }
.plain { margin: 0; padding-left: 1.2rem; }
.plain li { margin: .2rem 0; overflow-wrap: anywhere; }
.sign { display: grid; grid-template-columns: 2fr 1fr 2fr; gap: 2rem; margin-top: 3.2rem; break-inside: avoid; }
.sign div { border-top: 1px solid var(--soft); padding-top: .3rem; color: var(--soft); font-size: .85rem; }
footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, "SFMono-Regular", Menlo, monospace; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  main { margin: 0; padding: 1.2rem 1rem; border: 0; border-radius: 0; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  td.track, th.track { display: none; }
  .checks thead { display: none; } .checks tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .checks td { display: inline-block; border: 0; padding: .1rem .9rem .1rem 0; } .checks td:first-child { display: block; padding-right: 0; }
  .sign { grid-template-columns: 1fr; gap: 2.4rem; }
}
@page { size: A4; margin: 16mm; }
@media print {
  :root { color-scheme: light; --page: #fff; --sheet: #fff; --text: #000; --soft: #444; --line: #bbb; --bar: #777; --good: #0b4f2a; --good-bg: #fff;
    --bad: #8a0f0f; --bad-bg: #fff; --warn: #5f3d00; --warn-bg: #fff; }
  body { font-size: 10.5pt; print-color-adjust: exact; }
  main { margin: 0; padding: 0; border: 0; max-width: none; }
  .verdict { border: 1px solid currentColor; border-left-width: 5px; } .mark { border: 1px solid currentColor; }
}
`;
