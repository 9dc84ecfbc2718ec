/** `holdfast metrics`: figures for Prometheus. */
import { getMetrics } from '../../api/metrics.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'In its text format, with or without --json: as the service answers under /metrics.',
  examples: [['holdfast metrics > /var/lib/node_exporter/holdfast.prom', 'for a collector of text files']],
  lists: true,
  async ask({ output, server }) {
    for await (const part of server.client.bytes(getMetrics)) await output.raw(part);
  },
});
