/** How the page of the API looks, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --edge: light-dark(#d5d9e0, #3a404b); --soft: light-dark(#f4f6f8, #1f232a); --text: light-dark(#1c2024, #e6e8eb); --faint: light-dark(#566070, #a2abb8); --mark: light-dark(#0b5cad, #7ab8ff); }
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: light-dark(#fff, #16191e); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--edge); }
a { color: var(--mark); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
details { margin: .5rem 0; border: 1px solid var(--edge); border-radius: 6px; }
summary { padding: .5rem .75rem; background: var(--soft); border-radius: 6px; cursor: pointer; overflow-wrap: anywhere; }
details > div { padding: .25rem .75rem .75rem; overflow-x: auto; }
.method { display: inline-block; min-width: 4.2rem; font: 600 .85rem ui-monospace, monospace; color: var(--mark); }
.path { font-family: ui-monospace, monospace; } .said { color: var(--faint); }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--edge); }
code, pre { font: .88rem ui-monospace, monospace; } pre { padding: .75rem; background: var(--soft); border-radius: 6px; overflow-x: auto; }
`.trimStart();
