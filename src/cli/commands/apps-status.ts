/** `holdfast apps status`: are all of them safe. */
import { getSystemStatus } from '../../api/backup.ts';
import type { AnswerOf } from '../../api/endpoint.ts';
import { EXIT } from '../../base/failure.ts';
import { option } from '../command.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof getSystemStatus>['apps'][number]>[] = [
  { title: 'APP', value: ({ app }) => app },
  { title: 'OUTCOME', value: ({ outcome }) => outcome },
  { title: 'POINTS', value: ({ points }) => String(points), align: 'right' },
  {
    title: 'PROBLEMS',
    value: ({ problems }) => problems.map(({ about, what }) => `${about}: ${what}`).join('; '),
    shrinks: true,
  },
];

export default serviceCommand({
  details:
    'The worst of them counts. Asks every storage and database, as "holdfast status" does for one app. With --check it ends with 6 when an ' +
    'objective is broken.',
  options: { check: option.flag('end with 6 when an objective is broken') },
  examples: [['holdfast apps status --check', 'for monitoring']],
  exits: [EXIT.objectiveBroken, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async ask({ output, flags, server }, { options: { check } }) {
    const status = await server.client.call(getSystemStatus);
    if (flags.json) await output.document(status);
    else {
      await output.table(status.apps, COLUMNS);
      await output.line(`All together: ${status.outcome}.`);
    }
    return check && status.outcome === 'broken' ? EXIT.objectiveBroken : EXIT.done;
  },
});
