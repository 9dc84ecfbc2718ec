/** A screen as an SVG that stands alone: it follows the reader's light or dark scheme, and its text can be selected and read aloud. */
import type { Screen, Span } from './terminal.ts';

const FONT_SIZE = 13;
const LINE_HEIGHT = 19;
/** Of the fonts named below, a character is at most this wide. */
const CHAR_WIDTH = 7.83;
const MARGIN = 16;
const BAR = 30;

const STYLE = `
  text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #24292f; white-space: pre; }
  .paper { fill: #fbfbfa; stroke: #d0d7de; } .dot { fill: #d0d7de; } .title { fill: #6e7781; }
  .bold { font-weight: 600; } .dim { fill: #6e7781; }
  .red { fill: #b3261e; } .green { fill: #1a7f37; } .yellow { fill: #8a5a00; } .cyan { fill: #0b6e8a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d8dee4; } .paper { fill: #15181c; stroke: #32383f; } .dot { fill: #3d444d; } .title, .dim { fill: #8b949e; }
    .red { fill: #ff8078; } .green { fill: #5ec577; } .yellow { fill: #e0b253; } .cyan { fill: #5fc4dd; }
  }
`;

export interface Picture {
  readonly title: string;
  /** Characters of a line; the picture is as wide. */
  readonly columns: number;
  readonly screen: Screen;
}

export function toSvg({ title, columns, screen }: Picture): string {
  const width = Math.ceil(columns * CHAR_WIDTH) + 2 * MARGIN;
  const height = BAR + screen.length * LINE_HEIGHT + 2 * MARGIN - 6;
  const lines = screen.map((spans, row) => {
    const y = BAR + MARGIN + FONT_SIZE - 2 + row * LINE_HEIGHT;
    return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${spans.map(spanText).join('')}</text>`;
  });
  const dots = [0, 1, 2].map(
    (dot) => `<circle class="dot" cx="${MARGIN + 4 + dot * 16}" cy="${BAR / 2 + 1}" r="4.5"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${dots.join('')}<text class="title" x="${width / 2}" y="${BAR / 2 + 5}" text-anchor="middle">${escaped(title)}</text>
${lines.join('\n')}
</svg>
`;
}

function spanText({ text, colour, bold, dim }: Span): string {
  const classes = [colour === 'plain' ? '' : colour, bold ? 'bold' : '', dim ? 'dim' : ''].filter(
    (name) => name !== '',
  );
  return classes.length === 0 ? escaped(text) : `<tspan class="${classes.join(' ')}">${escaped(text)}</tspan>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
