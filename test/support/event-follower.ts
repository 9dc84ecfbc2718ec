/** Follows the stream of events as a browser does: whenever it ends, it is asked for again from the last number that was heard. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWERED_BY } from './reverse-proxy.ts';

const PAUSE_MS = 50;

export class EventFollower implements AsyncDisposable {
  /** Numbers of the events, as they came. */
  readonly heard: number[] = [];
  /** How often a stream began. */
  streams = 0;
  /** The port of the server behind the proxy that it listens to; undefined while it listens to none. */
  server: number | undefined;
  #last: number;
  readonly #over = new AbortController();
  readonly #following: Promise<void>;

  /** `after`: the number of the event before the first that is wanted. */
  constructor(url: string, { token, after }: { readonly token: string; readonly after: number }) {
    this.#last = after;
    this.#following = this.#follow(`${url}/api/v1/events`, `Bearer ${token}`);
  }

  async #follow(url: string, authorization: string): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const headers = { authorization, 'last-event-id': String(this.#last) };
      const answer = await fetch(url, { headers, signal }).catch(() => undefined);
      if (answer?.ok) await this.#listen(answer).catch(() => {}); // the server is gone, or nobody listens any more
      this.server = undefined;
      await sleep(PAUSE_MS);
    }
  }

  async #listen(answer: Response): Promise<void> {
    this.streams += 1;
    this.server = Number(answer.headers.get(ANSWERED_BY));
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const id = /^id: (\d+)$/m.exec(block)?.[1];
        if (id === undefined) continue;
        this.#last = Number(id);
        if (/^data: /m.test(block)) this.heard.push(this.#last);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#following;
  }
}
