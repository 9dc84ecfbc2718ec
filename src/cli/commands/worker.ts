/** `holdfast worker`: carries out what the service asks for, on this machine. */
import { EXIT, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { runWorkerProcess } from '../../service/worker.ts';
import { defineCommand, option } from '../command.ts';
import { logOption, serviceWorld } from '../service.ts';

export default defineCommand({
  details:
    'Takes runs from the catalog and carries them out, each as a command of its own, until it is stopped. It needs a configuration with the ' +
    'same catalog (a PostgreSQL, when it is another machine) and with the apps that it can reach: only runs whose labels it has come to it. ' +
    'SIGTERM lets what runs finish for half a minute and hands the rest back; SIGHUP reads the configuration again. It writes a line of JSON ' +
    'for everything that happens.',
  options: {
    labels: option.texts('NAME=VALUE', 'what it has, such as site=north (may be given several times)'),
    concurrency: option.integer('N', 'how many runs at once (default: worker.concurrency)', 1),
    name: option.text('NAME', 'what it is called (default: the name of the machine)'),
    log: logOption,
  },
  examples: [['holdfast worker --labels site=north', 'take the runs for the north']],
  exits: [],
  async run(context, { options: { labels, concurrency, name, log } }) {
    const world = await serviceWorld(context, log);
    const choice = { role: 'worker' as const, labels: parseLabels(labels) };
    await runWorkerProcess(world, { ...choice, ...given('name', name), ...given('concurrency', concurrency) });
    return EXIT.done;
  },
});

function parseLabels(written: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    written.map((label) => {
      const [, name, value] = /^([A-Za-z0-9][\w-]{0,62})=(.+)$/.exec(label) ?? [];
      if (name === undefined || value === undefined)
        throw new Failure('usage', `"${label}" is no label.`, { hint: 'Write NAME=VALUE, such as site=north.' });
      return [name, value];
    }),
  );
}
