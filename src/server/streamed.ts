/** Answers that are sent while they are made: at the pace of whoever reads, and with an error as a problem as long as nothing was sent. */

/** Makes the answer; `write` says false when nobody reads on. */
export type Produce = (write: (chunk: string | Uint8Array) => Promise<boolean>) => Promise<void>;

const encoder = new TextEncoder();

/** Resolves once there is a first part, or the end; rejects when it fails before that. A failure later cuts the connection. */
export async function streamed(
  request: Request,
  headers: Readonly<Record<string, string>>,
  produce: Produce,
): Promise<Response> {
  const parts = partsOf(produce);
  const first = await parts.next();
  if (request.method === 'HEAD' || first.done === true) {
    await parts.return(undefined);
    return new Response(null, { headers });
  }
  let held: Uint8Array | undefined = first.value;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = held === undefined ? await parts.next() : { done: false as const, value: held };
        held = undefined;
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await parts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}

/** From a producer that pushes to parts that are pulled: it waits in `write` until its part was taken. */
async function* partsOf(produce: Produce): AsyncGenerator<Uint8Array, undefined, undefined> {
  let arrived = Promise.withResolvers<Uint8Array | undefined>();
  let taken = Promise.withResolvers<boolean>();
  const write = (chunk: string | Uint8Array) => {
    arrived.resolve(typeof chunk === 'string' ? encoder.encode(chunk) : chunk);
    return taken.promise;
  };
  const work = produce(write).then(
    () => arrived.resolve(undefined),
    (error: unknown) => arrived.reject(error),
  );
  let over = false;
  try {
    for (;;) {
      const part = await arrived.promise;
      if (part === undefined) {
        over = true;
        return undefined;
      }
      if (part.length > 0) yield part;
      const { resolve } = taken;
      arrived = Promise.withResolvers();
      taken = Promise.withResolvers();
      resolve(true);
    }
  } catch (error) {
    over = true;
    throw error;
  } finally {
    if (!over) {
      arrived = Promise.withResolvers();
      arrived.promise.catch(() => {}); // nobody reads on
      taken.resolve(false);
    }
    await work;
  }
}
