/** Lines of a stream, none longer than is reasonable: the stream may be anybody's. */
import { StringDecoder } from 'node:string_decoder';
import { Failure } from '../../base/failure.ts';

export interface Line {
  readonly text: string;
  /** With its line feed. */
  readonly raw: string;
}

/** Characters. */
const LONGEST = 32 * 1024 * 1024;

export async function* readLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Line, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + (typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk)))).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST) throw new Failure('data_damaged', 'The copy of the catalog has a line without an end.');
    for (const text of parts) yield { text, raw: `${text}\n` };
  }
  return undefined; // what has no line feed was cut off: the last line is missed by who reads
}
