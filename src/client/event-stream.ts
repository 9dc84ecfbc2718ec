/** Server-sent events out of the bytes of a stream. */
import type { Event } from '../api/events.ts';

const LONGEST = 1024 * 1024;

/** Lines without data are signs of life and left out. Ends when the bytes end, or when a block is absurdly long. */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Event> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of bytes) {
    text += decoder.decode(part, { stream: true });
    if (text.length > LONGEST) return;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.+)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data) as Event;
    }
  }
}
