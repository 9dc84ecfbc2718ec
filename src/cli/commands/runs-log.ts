/** `holdfast runs log RUN`: what it said. */
import type { RunLogLine } from '../../api/runs.ts';
import { printable } from '../../base/printable.ts';
import { runLog } from '../../client/run-log.ts';
import { option } from '../command.ts';
import { moment } from '../output/facts.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'All of it, oldest first. With --follow the lines to come, too, until the run is over; with --json then a JSON line for each.',
  arguments: { run: runArgument },
  options: {
    follow: option.flag('go on until the run is over', 'f'),
    after: option.integer('N', 'only lines above this number'),
  },
  examples: [['holdfast runs log 01m7ymtxamewa1szj5sc9zt8t1 --follow', 'while it runs']],
  lists: ({ follow }) => follow,
  async ask({ output, flags, server, clock, signal }, { arguments: { run }, options: { follow, after = 0 } }) {
    const kept: RunLogLine[] = [];
    for await (const line of runLog({ client: server.client, clock, signal }, { run, after, follow })) {
      if (output.readerGone) break;
      if (!flags.json) await output.line(`${moment(line.at)} ${line.level.padEnd(7)} ${printable(line.message)}`);
      else if (follow) await output.jsonLine('status', { ...line });
      else kept.push(line);
    }
    if (flags.json && !follow) await output.document({ items: kept, next: null });
  },
});
