/** Alerts: channels and apps that routes name must exist. */
import type { Path } from '../problem.ts';
import type { Complaint } from '../schema/problems.ts';
import { entriesAt, itemsAt, valueAt } from '../values.ts';

type UnknownName = (what: string, name: string, known: readonly string[], path: Path) => Complaint[];

export function alertChecks(root: unknown, unknownName: UnknownName): Complaint[] {
  const entries = entriesAt(root, ['alerts', 'channels']);
  const type = (channel: unknown) => valueAt(channel, ['type']);
  const channels = entries.filter(([, it]) => type(it) !== 'healthchecks').map(([name]) => name);
  const apps = entriesAt(root, ['apps']).map(([name]) => name);
  const each = (path: Path, what: string, known: readonly string[]) =>
    itemsAt(root, path).flatMap((name, at) =>
      typeof name === 'string' ? unknownName(what, name, known, [...path, at]) : [],
    );
  return [
    ...itemsAt(root, ['alerts', 'routes']).flatMap((_, at) => {
      const route = ['alerts', 'routes', at];
      return [
        ...each([...route, 'channels'], 'channel', channels),
        ...each([...route, 'escalateTo'], 'channel', channels),
        ...each([...route, 'apps'], 'app', apps),
      ];
    }),
    ...each(['alerts', 'fallback'], 'channel', channels),
    ...entries.flatMap(([name, channel]) => {
      const app = valueAt(channel, ['app']);
      const named = type(channel) === 'healthchecks' && typeof app === 'string';
      return named ? unknownName('app', app, apps, ['alerts', 'channels', name, 'app']) : [];
    }),
  ];
}
