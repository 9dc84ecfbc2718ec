/** `holdfast sandboxes start --at T`: a throw-away database that a worker keeps. */
import { createSandbox } from '../../api/sandboxes.ts';
import { Failure } from '../../base/failure.ts';
import { option } from '../command.ts';
import { printSandbox } from '../sandboxes.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'It lives on the machine of a worker and takes no place among its runs; an app has one at a time. "holdfast sandbox" makes one here, for as ' +
    'long as it runs.',
  options: {
    at: option.text('TIME|POINT', 'a time, "latest" for the newest archived commit, or the first digits of a point'),
    for: option.text('DURATION', 'how long it lives, at most 7d (default: 1h)'),
    withFiles: option.flag('the other sources of the point beside it'),
    source: option.text('S', 'the database (not needed when there is only one)'),
    storage: option.text('NAME', 'read the point from this storage only'),
    reason: option.text('R', 'why; kept in its record'),
  },
  examples: [['holdfast sandboxes start --at "2026-03-01T08:30:00Z" --for 2h', 'the data of that morning, until noon']],
  async ask({ output, flags, server }, { options: { at, withFiles, ...rest } }) {
    if (at === undefined) throw new Failure('usage', 'As of when?', { hint: 'Say it with --at.' });
    const body = { ...server.app, ...rest, at, with_files: withFiles };
    const made = await server.client.call(createSandbox, { body });
    if (flags.json) await output.summary(made);
    else await printSandbox(output, made);
  },
});
