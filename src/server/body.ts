/** The bytes of a request's body as they come. A sender that falls silent is given up, however long its body may be. */
import { Failure } from '../base/failure.ts';

/** Throws `request_timeout` when nothing comes for `idle` ms, `interrupted` when the sender goes. */
export async function* bodyParts(request: Request, idle: number): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let over = false;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), idle);
      over = done;
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('interrupted', 'The request ended before its body did.', { cause });
  } finally {
    if (!over) await reader.cancel().catch(() => {}); // it is gone already
  }
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Failure('request_timeout', 'The rest of the body did not come.')), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
