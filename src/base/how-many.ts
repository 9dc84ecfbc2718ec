/** How many of something, for people. `Intl` would do it too, and take longer to load than a small command does its work. */

/** `20,000`; `count` is a whole number. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 file`, `20,000 files`, `1 index`, `1 key file`, `1 piece of WAL`: `many` is the plural. */
export function howMany(count: number, many: string): string {
  return `${formatCount(count)} ${count === 1 ? singular(many) : many}`;
}

function singular(many: string): string {
  const [things = '', ...rest] = many.split(' of ');
  return [oneOf(things), ...rest].join(' of ');
}

function oneOf(things: string): string {
  if (things.endsWith('ies')) return `${things.slice(0, -3)}y`;
  return things.endsWith('exes') ? things.slice(0, -2) : things.replace(/s$/, '');
}
