/** `holdfast wal fetch`: for PostgreSQL's restore_command. */
import { resolve } from 'node:path';
import { EXIT } from '../../base/failure.ts';
import { fetchWal, takeFetchedAhead, type WalFetchOutcome } from '../../operations/wal-fetch.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

const PREFETCH = 16;

export default defineCommand({
  details:
    'For restore_command: "holdfast wal fetch %f %p". Writes a segment or a history file of the archive, whole and durable, or none; the ' +
    'last segment is filled up with zeros. PostgreSQL takes the exit statuses 1 to 125 for the end of the log and opens for business, ' +
    'so 1 is only said when every storage answered and nothing of the log lies beyond. Everything else that is wrong, also a mistake in ' +
    'the command line or the configuration, ends with 255: then PostgreSQL stops, and goes on where it was when it is started again.',
  arguments: {
    name: argument.required('NAME', 'the file that is wanted: %f'),
    destination: argument.required('DEST', 'where to write it: %p'),
  },
  options: {
    prefetch: option.integer('N', `segments to fetch ahead into a directory beside DEST; ${PREFETCH} when left out`),
    cluster: option.text('ID', 'the system identifier; that of the data directory it runs in when left out'),
  },
  examples: [
    ["restore_command = 'holdfast --config /etc/holdfast/holdfast.yaml wal fetch %f %p'", 'in postgresql.conf'],
  ],
  left: 'DEST holds the whole file or nothing; PostgreSQL asks again.',
  async run(context, { arguments: { name, destination }, options: { prefetch = PREFETCH, cluster } }) {
    const { cwd } = context;
    const input = { name, destination: resolve(cwd, destination), directory: cwd, prefetch };
    if (await takeFetchedAhead(input)) return report(context, name, { outcome: 'fetched', partial: false });
    await using session = await openSession(context);
    const outcome = await fetchWal(session, {
      ...input,
      ...(cluster === undefined ? {} : { systemIdentifier: cluster }),
    });
    return report(context, name, outcome);
  },
});

/** Only the absence is told by the status; all else is a Failure. */
async function report({ output, flags }: Context, name: string, it: WalFetchOutcome): Promise<ExitStatus> {
  if (it.note !== undefined) await output.warn(it.note);
  if (flags.json) await output.summary({ name, ...it });
  else if (it.outcome === 'absent') await output.note(`${name} is not archived.`);
  return it.outcome === 'absent' ? EXIT.failed : EXIT.done;
}
