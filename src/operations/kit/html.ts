/** The kit as one page without anything from outside, made to be printed. */
import { html } from '../../base/html.ts';
import type { Block, KitDocument } from './sections.ts';

const STYLE = `
  :root { color-scheme: light; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff; }
  h1 { font-size: 1.9rem; margin: 0; }
  h2 { font-size: 1.15rem; margin: 1.8rem 0 .4rem; border-bottom: 1px solid #999; break-after: avoid; }
  .subtitle { color: #444; margin: .2rem 0 0; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
  dt { font-weight: 600; }
  dd { margin: 0; overflow-wrap: anywhere; }
  pre { background: #f2f2f2; border: 1px solid #ccc; border-radius: 4px; padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; break-inside: avoid; font: 13px/1.45 ui-monospace, monospace; }
  @page { size: A4; margin: 18mm; }
  @media print { body { margin: 0; max-width: none; } }
`;

export function toHtml({ title, subtitle, sections }: KitDocument): string {
  const body = sections.map(
    (section) => `<section>\n<h2>${html(section.title)}</h2>\n${section.blocks.map(blockHtml).join('\n')}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${html(title)}</h1>
<p class="subtitle">${html(subtitle)}</p>
${body.join('\n')}
</body>
</html>
`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${html(block.text)}</p>`;
    case 'facts':
      return `<dl>${block.rows.map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`).join('')}</dl>`;
    case 'commands':
      return `<pre>${block.lines.map((line) => html(line)).join('\n')}</pre>`;
  }
}
