/** `holdfast runs start KIND`: asks the service for a run. */
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { askForRun, endThere } from '../../client/follow.ts';
import { argument, option } from '../command.ts';
import { paramOptions, paramsOf } from '../run-params.ts';
import { reportAccepted, reportEnd } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'A worker of the service carries it out; the command comes back at once, with --follow when the run is over and with its status. Where two ' +
    'people must agree, the request for approval is named instead. The parameters are the options of the command that it is; a restore over ' +
    'the running application wants its name: --param confirm=NAME.',
  arguments: {
    kind: argument.required('KIND', 'what is run, such as backup, prove or check; "holdfast runs kinds" lists them'),
  },
  options: {
    ...paramOptions,
    reason: option.text('R', 'why; kept in its record'),
    priority: option.integer('N', 'up to 100, higher first (default: 0)'),
    follow: option.flag('tell how it goes until it is over', 'f'),
  },
  examples: [
    ['holdfast runs start backup --param label=before-upgrade --follow', 'as the service would do it'],
    ['holdfast runs start restore --param point=latest --param to=/srv/restored', 'on the machine of a worker'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  async ask(context, { arguments: { kind }, options: { param, reason, priority, follow } }) {
    const { server, clock, progress, signal } = context;
    const { client, app } = server;
    const params = await paramsOf(client, kind, param);
    const body = { kind, params, ...app, ...given('reason', reason), ...given('priority', priority) };
    const accepted = await askForRun({ client, signal }, body);
    if (!follow || accepted.run === null) return reportAccepted(context, accepted);
    return reportEnd(context, await endThere({ client, clock, progress, signal }, accepted.run));
  },
});
