/** How many of something, for people. */

/** `1 file`, `20,000 files`, `1 index`, `1 directory`: `many` is the plural. What follows the noun goes along: `1 piece of WAL`. */
export function howMany(count: number, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? singular(many) : many}`;
}

function singular(many: string): string {
  const [noun = '', ...rest] = many.split(' ');
  const one = noun.endsWith('ies')
    ? `${noun.slice(0, -3)}y`
    : noun.endsWith('exes')
      ? noun.slice(0, -2)
      : noun.replace(/s$/, '');
  return [one, ...rest].join(' ');
}
