/** The app's own questions to its restored database. */
import { asFailure } from '../../base/failure.ts';
import type { Finding } from './finding.ts';
import { type CheckWorld, openSql, runCheck } from './server.ts';

export interface Assertion {
  readonly name: string;
  /** Its one row's first column must be true. */
  readonly query: string;
}

/** In the configured database of the source. Undefined without assertions. */
export async function checkAssertions(
  world: CheckWorld,
  assertions: readonly Assertion[],
): Promise<Finding | undefined> {
  if (assertions.length === 0) return undefined;
  return runCheck(world, 'assertions', 'assertions', async (found) => {
    for (const { name, query } of assertions) {
      found.count();
      const problem = await assertion(world, query);
      if (problem === undefined) found.note(`Holds: ${name}.`);
      else found.problem(`${name}: ${problem}`);
    }
  });
}

/** A session for each: what one leaves behind is of no matter to the next. Nothing of the answer is told but that it was not true. */
async function assertion(world: CheckWorld, query: string): Promise<string | undefined> {
  try {
    await using sql = await openSql(world);
    await sql.run('BEGIN READ ONLY');
    const answers: (string | null)[] = [];
    for await (const row of sql.stream(query, 'The query')) {
      answers.push(row[0] ?? null);
      if (answers.length > 1) return 'the query gives more than one row.';
    }
    if (answers.length === 0) return 'the query gives no row.';
    return answers[0] === 't' || answers[0] === 'true' ? undefined : 'it does not hold.';
  } catch (error) {
    world.signal.throwIfAborted();
    return asFailure(error).message;
  }
}
