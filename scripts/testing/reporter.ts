/** A reporter for `node:test` that writes every finished test as one line of JSON, for the test command to count. */

/** One finished test or suite. */
export interface TestLine {
  readonly name: string;
  readonly kind: 'test' | 'suite';
  readonly outcome: 'pass' | 'fail' | 'skip';
  /** Why it was skipped. */
  readonly reason?: string;
}

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly skip?: string | boolean;
    readonly details?: { readonly type?: string };
  };
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const skipped = data.skip !== undefined && data.skip !== false;
    const line: TestLine = {
      name: data.name ?? '',
      kind: data.details?.type === 'suite' ? 'suite' : 'test',
      outcome: type === 'test:fail' ? 'fail' : skipped ? 'skip' : 'pass',
      ...(typeof data.skip === 'string' ? { reason: data.skip } : {}),
    };
    yield `${JSON.stringify(line)}\n`;
  }
}
