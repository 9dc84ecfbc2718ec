/** `holdfast rows diff`: what differs in a table between two moments. */
import { EXIT, Failure } from '../../base/failure.ts';
import { onlyDatabase, runningDatabase } from '../../operations/rows.ts';
import { rowsDiff } from '../../operations/rows-diff.ts';
import { defineCommand, option } from '../command.ts';
import { openSession } from '../open-session.ts';
import { printDiffCounts, printDifference } from '../output/rows-report.ts';
import { stateAt } from '../state.ts';

/** Differences shown unless all are asked for. */
const SHOWN = 50;

export default defineCommand({
  details:
    'Compares a table row by row, by its key, as it was at one moment with what it was at another, or is now. Shows the first differences ' +
    'and counts all; with --json every difference is a line.',
  options: {
    from: option.text('TIME|POINT', 'the earlier state: a time, "latest", or the first digits of a point'),
    to: option.text('TIME|POINT', 'the later state; the running database when left out, or "now"'),
    table: option.text('T', 'the table, with its schema where that is not public'),
    all: option.flag('show every difference'),
    source: option.text('S', 'the database (not needed when there is only one)'),
    database: option.text('NAME', 'another database of the same cluster'),
  },
  examples: [['holdfast rows diff --from "1h ago" --table patients', 'what happened to a table in the last hour']],
  exits: [EXIT.unreachableMoment, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'The throw-away copies are gone; nothing was changed.',
  async run(context, { options: { from, to = 'now', table, all, source: asked, database } }) {
    if (from === undefined || table === undefined)
      throw new Failure('usage', 'Which table, and since when? Name --from and --table.');
    const { output, flags, clock, env } = context;
    const config = await context.config();
    const app = config.appName(flags.app);
    const source = asked ?? onlyDatabase(config, app);
    const { programs, account } = await config.postgres();
    const other = database === undefined ? {} : { database };
    let told = 0;
    await using session = await openSession(context);
    const outcome = await rowsDiff(session, {
      ...{ app, source, table, from: stateAt(from, clock.now()), ...other },
      to:
        to === 'now'
          ? { now: await runningDatabase(config, app, { written: source, env, ...other }) }
          : stateAt(to, clock.now()),
      programs: { directories: programs, path: env.PATH },
      ...(account === undefined ? {} : { account }),
      onDifference: async (difference) => {
        if (flags.json) return output.jsonLine('status', { state: 'difference', ...difference });
        if (!all && told >= SHOWN) return;
        told++;
        await printDifference(output, difference);
      },
    });
    if (flags.json) await output.summary({ ...outcome });
    else await printDiffCounts(output, outcome, told);
    return EXIT.done;
  },
});
