/** The main thread seen from a worker thread: first it says what the thread needs to know, then it asks. */
import { type MessagePort, parentPort, type Transferable } from 'node:worker_threads';

export class ThreadPort<Data, Request, Reply> {
  readonly #port: MessagePort;
  readonly #waiting: unknown[] = [];
  #deliver: (message: unknown) => void = (message) => this.#waiting.push(message);

  constructor() {
    if (parentPort === null) throw new Error('this module runs in a worker thread');
    this.#port = parentPort;
    this.#port.on('message', (message: unknown) => this.#deliver(message));
  }

  /** What the main thread says first: see `spawnThread`. */
  data(): Promise<Data> {
    return new Promise((resolve) => {
      this.#serve((message) => {
        this.#deliver = (later) => this.#waiting.push(later);
        resolve(message as Data);
      });
    });
  }

  /** Everything after it, in order, also what came in the meantime. */
  onRequest(answer: (request: Request) => void): void {
    this.#serve((message) => answer(message as Request));
  }

  post(reply: Reply, transfer: Transferable[] = []): void {
    this.#port.postMessage(reply, transfer);
  }

  #serve(deliver: (message: unknown) => void): void {
    this.#deliver = deliver;
    while (this.#waiting.length > 0 && this.#deliver === deliver) deliver(this.#waiting.shift());
  }
}
