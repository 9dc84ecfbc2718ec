/** Writes one-page PDF 1.4 documents: lines of text and one picture. Enough for a medical report, and valid for every reader. */
import { encodePixels, type Picture } from './png.ts';
import type { Random } from './random.ts';

export interface Report {
  readonly title: string;
  /** Short lines of printable ASCII, from the top of the page. */
  readonly lines: readonly string[];
  readonly picture: Picture;
}

/** A4 in points. */
const PAGE = { width: 595, height: 842, margin: 56 };
const IMAGE_WIDTH = PAGE.width - 2 * PAGE.margin;

export function encodePdf(report: Report, random: Random): Buffer {
  const { picture } = report;
  const pixels = encodePixels(picture, random);
  const content = Buffer.from(pageContent(report), 'latin1');
  const image = `/Type /XObject /Subtype /Image /Width ${picture.width} /Height ${picture.height} /ColorSpace /DeviceRGB`;
  const coding = `/BitsPerComponent 8 /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors 3 /Columns ${picture.width} >>`;
  const resources = '/Resources << /Font << /F1 5 0 R /F2 6 0 R >> /XObject << /Im1 7 0 R >> >>';
  return assemble([
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from('<< /Type /Pages /Kids [3 0 R] /Count 1 >>'),
    Buffer.from(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${PAGE.width} ${PAGE.height}] ${resources} /Contents 4 0 R >>`,
    ),
    stream('', content),
    Buffer.from('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'),
    Buffer.from('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>'),
    stream(`${image} ${coding}`, pixels),
  ]);
}

function pageContent({ title, lines, picture }: Report): string {
  const imageHeight = Math.round((IMAGE_WIDTH * picture.height) / picture.width);
  const top = PAGE.height - PAGE.margin;
  return [
    'BT',
    `/F2 18 Tf ${PAGE.margin} ${top} Td (${escaped(title)}) Tj`,
    `/F1 11 Tf 0 -28 Td 15 TL`,
    ...lines.map((line) => `(${escaped(line)}) Tj T*`),
    'ET',
    `q ${IMAGE_WIDTH} 0 0 ${imageHeight} ${PAGE.margin} ${PAGE.margin} cm /Im1 Do Q`,
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/[\\()]/g, '\\$&');
}

function stream(entries: string, data: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`<< ${entries} /Length ${data.length} >>\nstream\n`),
    data,
    Buffer.from('\nendstream'),
  ]);
}

/** Objects 1, 2, … in order; the first is the catalogue. Then the cross-reference table, whose entries are 20 bytes each. */
function assemble(objects: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets: number[] = [];
  let position = parts[0]!.length;
  for (const [index, body] of objects.entries()) {
    const object = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')]);
    offsets.push(position);
    position += object.length;
    parts.push(object);
  }
  const count = objects.length + 1;
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const table = `xref\n0 ${count}\n0000000000 65535 f \n${entries}`;
  parts.push(Buffer.from(`${table}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${position}\n%%EOF\n`));
  return Buffer.concat(parts);
}
