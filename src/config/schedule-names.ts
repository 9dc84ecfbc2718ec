/** What schedules are called that were given no name: after what they run, numbered where that is taken. */

interface Named {
  readonly name?: string | undefined;
  readonly run?: string | undefined;
}

/** One name per schedule, in the same order. */
export function scheduleNames(schedules: readonly Named[]): string[] {
  const taken = new Set(schedules.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return schedules.map(({ name, run = 'schedule' }) => {
    if (name !== undefined) return name;
    let free = run;
    for (let number = 2; taken.has(free); number++) free = `${run}-${number}`;
    taken.add(free);
    return free;
  });
}
