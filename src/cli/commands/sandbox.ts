/** `holdfast sandbox`: a throw-away PostgreSQL with the database as it was. */
import { resolve } from 'node:path';
import { formatDuration } from '../../base/durations.ts';
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { type RunSandboxInput, runSandbox, type SandboxReady } from '../../operations/sandbox.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { namedState } from '../state.ts';

export default defineCommand({
  details:
    'Restores the database of a point, or as it was at a moment, into a private directory, starts a PostgreSQL of the same major version on ' +
    'it and prints its URL. The server reads none of the original configuration: it archives nothing, subscribes to nothing, loads no ' +
    'libraries, and listens on a private socket only. It may be written to. It ends with --for, or with Ctrl-C, and leaves nothing behind; ' +
    'when this process is killed, server and files go, too.',
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest"; none with --at') },
  options: {
    at: option.text('TIME|POINT', 'a time, "latest" for the newest archived commit, or the first digits of a point'),
    for: option.duration('DURATION', 'how long it lives; until Ctrl-C when left out'),
    tcp: option.flag('also on a free port of 127.0.0.1, with a password of its own'),
    withFiles: option.flag('the other sources of the point beside it'),
    source: option.text('S', 'the database (not needed when there is only one)'),
    storage: option.text('NAME', 'read the point from this storage only'),
    directory: option.text('DIR', 'where its directory is made; that for temporary files when left out'),
  },
  examples: [
    ['holdfast sandbox --at "10m ago" --for 1h', 'look at the database as it was ten minutes ago'],
    ['holdfast sandbox 1f0c --tcp', 'a point, for programs that want a host and a port'],
  ],
  exits: [EXIT.unreachableMoment, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'The throw-away copy is gone.',
  async run(context, { arguments: { point }, options }) {
    const { at, for: lifetime, tcp, withFiles, source, storage, directory } = options;
    const state = namedState(point, at, context.clock.now());
    const config = await context.config();
    const { programs, account } = await config.postgres();
    const input: RunSandboxInput = {
      ...{ state, tcp, withFiles, app: config.appName(context.flags.app) },
      ...(source === undefined ? {} : { source }),
      ...(storage === undefined ? {} : { storage }),
      ...(lifetime === undefined ? {} : { lifetime }),
      ...(directory === undefined ? {} : { directory: resolve(context.cwd, directory) }),
      ...(account === undefined ? {} : { account }),
      programs: { directories: programs, path: context.env.PATH },
      onReady: (ready) => printReady(context, ready, withFiles),
    };
    await using session = await openSession(context, { thread: 'unseal-worker' });
    const { ended, ...ready } = await runSandbox(session, input);
    if (context.flags.json) {
      await context.output.jsonLine('status', { step: 'sandbox', state: 'done' });
      await context.output.summary({ ...ready, ended });
    } else await context.output.note(`The sandbox ended (${ended === 'time' ? 'its time is over' : 'interrupted'}).`);
    return EXIT.done;
  },
});

async function printReady({ flags, output }: Context, ready: SandboxReady, withFiles: boolean): Promise<void> {
  if (flags.json) return output.jsonLine('status', { step: 'sandbox', state: 'ready', ...ready });
  const { reached_lsn: lsn, reached_time: time, until, seconds } = ready;
  await output.line(ready.url);
  const commit = time === null ? '' : `, last commit ${formatUtcAndLocal(Date.parse(time))}`;
  await output.note(`PostgreSQL ${ready.major} at ${lsn}${commit}, ready in ${formatDuration(seconds * 1000)}.`);
  await output.note(`${withFiles ? 'Files' : 'Directory'}: ${printable(ready.directory)}`);
  await output.note(
    until === null ? 'Ctrl-C ends it.' : `It ends at ${formatUtcAndLocal(Date.parse(until))}, or with Ctrl-C.`,
  );
}
