/** `holdfast wal stream`: receives the WAL of a database all the time. */
import { EXIT } from '../../base/failure.ts';
import { streamedSource } from '../../operations/wal-sources.ts';
import { formatLsn, walStream } from '../../operations/wal-stream.ts';
import { defineCommand, option } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Receives the write-ahead log as the server writes it, keeps it durable in the spool, and stores it in every storage: a commit at most ' +
    'wal.flushEvery after it was made. Runs until SIGINT or SIGTERM, which end it cleanly; started again, it goes on where it stopped. It ' +
    'reconnects by itself, follows promotions, and waits for storages that are away. It ends by itself only when the server is another ' +
    'cluster or an older node, or when the spool fails. Meanwhile it folds WAL that is older than wal.foldAfter, every hour, in a process of its own. ' +
    'WAL that the server no longer has is a gap on record; moments after it need a new base backup, and the stream starts "holdfast backup", once ' +
    'for each gap and again where that fails (wal.baseAfterGap). Ends with 3 when WAL was lost, or when a storage is behind.',
  options: {
    source: option.text('S', 'the database (not needed when only one is streamed)'),
    for: option.duration('DURATION', 'stop after this long'),
  },
  examples: [
    ['holdfast wal stream', 'until it is stopped; run it as a service'],
    ['holdfast wal stream --for 10m', 'catch up for ten minutes'],
  ],
  exits: [EXIT.partial, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  async run(context, { options: { source, for: duration } }) {
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const streamed = await streamedSource(config, app, source);
    await using session = await openSession(context);
    const outcome = await walStream(session, {
      app,
      source: streamed,
      requiredCopies: await config.requiredCopies(),
      own: {
        program: [context.build.program, '--config', config.file, '--app', app],
        environment: context.env,
      },
      ...(duration === undefined ? {} : { duration }),
    });
    const { systemIdentifier, timeline, received, stored, gaps, failures } = outcome;
    if (context.flags.json) {
      await context.output.summary({
        ...{ app, source: streamed.name, system_identifier: systemIdentifier, timeline, gaps },
        ...{ received: formatLsn(received), stored: formatLsn(stored) },
        failures: Object.fromEntries(
          [...failures].map(([name, { code, message }]) => [name, { error: code, message }]),
        ),
      });
    }
    return gaps > 0 || failures.size > 0 ? EXIT.partial : EXIT.done;
  },
});
