/** Points of the catalog as the API shows them in lists, as JSON. */
import type { PointRow } from '../../catalog/points.ts';
import { moment, text } from './text.ts';

export function pointText(row: PointRow): string {
  return (
    `{"id":"${row.id}","short_id":"${row.id.slice(0, 8)}","app":${text(row.app)},"time":${moment(row.time)},` +
    `"label":${text(row.label)},"sources":${row.sources},"bytes":${row.bytes},"proof":${text(row.proof)},` +
    `"pinned":${row.pinned === 1},"storages":${row.storages}}`
  );
}
