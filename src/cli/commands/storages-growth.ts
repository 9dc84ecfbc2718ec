/** `holdfast storages growth`: how full they are, and when they will be full. */
import type { AnswerOf } from '../../api/endpoint.ts';
import { listGrowth } from '../../api/system.ts';
import { formatBytes } from '../../base/sizes.ts';
import { printList } from '../listing.ts';
import { moment } from '../output/facts.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof listGrowth>['items'][number]>[] = [
  { title: 'STORAGE', value: ({ storage }) => storage },
  { title: 'USED', value: ({ used_bytes }) => formatBytes(used_bytes), align: 'right' },
  { title: 'OF', value: ({ capacity_bytes: all }) => (all === null ? '–' : formatBytes(all)), align: 'right' },
  { title: 'FULL', value: ({ used_percent: full }) => (full === null ? '–' : `${full.toFixed(1)} %`), align: 'right' },
  { title: 'A DAY', value: ({ bytes_per_day: grown }) => (grown === null ? '–' : perDay(grown)), align: 'right' },
  { title: 'FULL ON', value: ({ full_on }) => moment(full_on) },
  { title: 'MEASURED', value: ({ measured_at }) => moment(measured_at) },
];

export default serviceCommand({
  details: 'Of storages that were measured. Foretold from the median of the last ninety days.',
  examples: [['holdfast storages growth --json', 'for a program']],
  lists: true,
  async ask(context) {
    await printList(context, await context.server.client.call(listGrowth), COLUMNS, 'Nothing was measured yet.');
  },
});

function perDay(bytes: number): string {
  return bytes < 0 ? `-${formatBytes(-bytes)}` : formatBytes(bytes);
}
