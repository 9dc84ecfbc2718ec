/** Schedules of an app that name each other: every name once, every name known, and no schedule waits for itself. */
import type { Path } from '../problem.ts';
import { scheduleNames } from '../schedule-names.ts';
import type { Complaint } from '../schema/problems.ts';
import { itemsAt, valueAt } from '../values.ts';

type Unknown = (what: string, name: string, known: readonly string[], path: Path) => Complaint[];

export function scheduleChecks(root: unknown, app: Path, unknownName: Unknown): Complaint[] {
  const path: Path = [...app, 'schedules'];
  const written = itemsAt(root, path).map((item) => ({
    name: textAt(item, 'name'),
    run: textAt(item, 'run'),
    after: textAt(item, 'after'),
  }));
  const names = scheduleNames(written);
  const after = new Map(written.map((schedule, at) => [names[at]!, schedule.after]));
  return written.flatMap((schedule, at) => {
    const place: Path = [...path, at];
    const twice = schedule.name !== undefined && names.indexOf(schedule.name) !== at;
    return [
      ...(twice ? [{ path: [...place, 'name'], message: `"${schedule.name}" is the name of another schedule` }] : []),
      ...(schedule.after === undefined ? [] : unknownName('schedule', schedule.after, names, [...place, 'after'])),
      ...(waitsForItself(names[at]!, after)
        ? [{ path: [...place, 'after'], message: 'leads back to this schedule: it would never start' }]
        : []),
    ];
  });
}

function waitsForItself(name: string, after: ReadonlyMap<string, string | undefined>): boolean {
  let before = after.get(name);
  for (let steps = 0; before !== undefined && steps <= after.size; steps++) {
    if (before === name) return true;
    before = after.get(before);
  }
  return false;
}

function textAt(item: unknown, key: string): string | undefined {
  const value = valueAt(item, [key]);
  return typeof value === 'string' ? value : undefined;
}
