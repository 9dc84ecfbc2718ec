/** `holdfast serve`: the service. */
import { EXIT } from '../../base/failure.ts';
import { serve } from '../../service/serve.ts';
import { defineCommand, option } from '../command.ts';
import { logOption, serviceWorld } from '../service.ts';

export default defineCommand({
  details:
    'Runs until it is stopped: starts what the schedules of the configuration ask for, carries it out, watches, tells people when something ' +
    'is wrong, and answers the API under server.listen. While there is no account, it prints a code with which the first administrator is ' +
    'made, once. Several may run over one catalog (a PostgreSQL); one of them schedules at a time.\n\n' +
    'SIGTERM lets requests and runs end for half a minute and hands the rest back; SIGHUP reads the configuration again. It writes a line of ' +
    'JSON for everything that happens.',
  options: {
    noWorker: option.flag('carry nothing out here: workers do'),
    log: logOption,
  },
  examples: [
    ['holdfast serve', 'the service on this machine'],
    ['holdfast serve --no-worker', 'the API and the schedules; "holdfast worker" carries out'],
  ],
  exits: [],
  async run(context, { options: { noWorker, log } }) {
    const world = await serviceWorld(context, log);
    await serve(world, {
      worker: !noWorker,
      onReady: async ({ url, setupCode }) => {
        if (setupCode === undefined) return;
        await context.output.warn(
          `There is no account yet. The code for the first administrator, good for one day and once: ${setupCode}`,
          `Use it with: curl -X POST ${url}/api/v1/setup -H 'content-type: application/json' -d '{"code":"…","name":"…","password":"…"}'`,
        );
      },
    });
    return EXIT.done;
  },
});
