/** How the page of the API looks: in the colours of the other pages. */
import { COLOURS } from '../../base/page.ts';

export const STYLE = `
${COLOURS}
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--sheet); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.8rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin: 1.2rem 0 .3rem; font-size: 1rem; }
main > p, details p { max-width: 46rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: 6px; }
summary { padding: .5rem .75rem; background: var(--code); border-radius: 6px; cursor: pointer; overflow-wrap: anywhere; }
section > details > summary { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr); gap: 0 .5rem; align-items: baseline; }
section > details > summary > code { grid-column: 1 / -1; }
summary > .method::before, section > details > summary > code::before { content: "▸ "; } [open] > summary > .method::before, [open] > summary > code::before { content: "▾ "; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
details > div { padding: .25rem .75rem .75rem; overflow-x: auto; }
.method { font: 600 .85rem ui-monospace, Menlo, Consolas, monospace; color: var(--link); }
.path { margin-right: .6rem; font: .95rem ui-monospace, Menlo, Consolas, monospace; } .said { color: var(--soft); }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
code, pre { font: .88rem ui-monospace, Menlo, Consolas, monospace; } pre { padding: .75rem; background: var(--code); border-radius: 6px; overflow-x: auto; }
@media (max-width: 40rem) { main { padding: 1rem; } .path, .said { display: block; } }
`.trimStart();
