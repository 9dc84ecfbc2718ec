/**
 * Rows out of COPY's text format: one line a row, tabs between values, `\N` for NULL, backslash escapes. The values are what the types'
 * output functions print; nothing passes through a JavaScript number or date.
 */

export type TextRow = readonly (string | null)[];

const NEWLINE = 0x0a;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The rows of a COPY stream in UTF-8, however it is cut into chunks. */
export async function* textRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<TextRow, void, undefined> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, at);
      yield parseLine(rest.length === 0 ? line : Buffer.concat([...rest, line]));
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}

function parseLine(line: Buffer): TextRow {
  const text = line.toString('utf8');
  return text.split('\t').map((field) => (field === '\\N' ? null : unescaped(field)));
}

function unescaped(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\(.)/gs, (_all, escaped: string) => ESCAPES[escaped] ?? escaped);
}
