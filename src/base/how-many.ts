/** How many of something, for people. */

/** `1 file`, `20,000 files`, `1 index`, `1 key file`, `1 piece of WAL`: `many` is the plural. */
export function howMany(count: number, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? singular(many) : many}`;
}

function singular(many: string): string {
  const [things = '', ...rest] = many.split(' of ');
  return [oneOf(things), ...rest].join(' of ');
}

function oneOf(things: string): string {
  if (things.endsWith('ies')) return `${things.slice(0, -3)}y`;
  return things.endsWith('exes') ? things.slice(0, -2) : things.replace(/s$/, '');
}
