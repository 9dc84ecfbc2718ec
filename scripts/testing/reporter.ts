/** A reporter for `node:test` that writes every test that begins or ends as one line of JSON, for the test command to count and to name. */

/** One test or suite that began, or that has finished. */
export interface TestLine {
  readonly name: string;
  /** The names of the suites and tests around it, the outermost first; not told when it begins. */
  readonly within?: readonly string[];
  readonly kind: 'test' | 'suite';
  readonly outcome: 'begin' | 'pass' | 'fail' | 'skip';
  /** Why it was skipped. */
  readonly reason?: string;
  /** What made it fail, with where, as far as that lies in the project. Not for suites that failed with their tests. */
  readonly error?: string;
}

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly skip?: string | boolean;
    readonly details?: { readonly type?: string; readonly error?: TestError };
  };
}

/** What `node:test` wraps around whatever a test threw. */
interface TestError {
  readonly message?: string;
  readonly failureType?: string;
  readonly cause?: unknown;
}

const MAX_CAUSES = 4;

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const around: string[] = [];
  for await (const event of events) {
    const { name = '', nesting = 0 } = event.data;
    if (event.type === 'test:start') around[nesting] = name;
    const line = lineOf(event, around.slice(0, nesting));
    if (line !== undefined) yield `${JSON.stringify(line)}\n`;
  }
}

function lineOf({ type, data }: TestEvent, within: readonly string[]): TestLine | undefined {
  const name = data.name ?? '';
  if (type === 'test:dequeue') return { name, kind: 'test', outcome: 'begin' };
  if (type !== 'test:pass' && type !== 'test:fail') return undefined;
  const skipped = data.skip !== undefined && data.skip !== false;
  const failed = type === 'test:fail';
  const error = failed ? errorText(data.details?.error) : undefined;
  return {
    ...{ name, within },
    kind: data.details?.type === 'suite' ? 'suite' : 'test',
    outcome: failed ? 'fail' : skipped ? 'skip' : 'pass',
    ...(typeof data.skip === 'string' ? { reason: data.skip } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

function errorText(error: TestError | undefined): string | undefined {
  if (error === undefined || error.failureType === 'subtestsFailed') return undefined;
  const parts: string[] = [];
  for (let cause = error.cause; cause instanceof Error && parts.length < MAX_CAUSES; cause = cause.cause)
    parts.push(withoutNode(cause.stack ?? String(cause)));
  return parts.length > 0 ? parts.join('\ncaused by: ') : (error.message ?? String(error.cause));
}

/** The frames of Node itself tell nothing. */
function withoutNode(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !/^ {4}at .*(node:|<anonymous>\)$)/.test(line))
    .join('\n');
}
