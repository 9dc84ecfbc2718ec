/** For objects whose members must be absent, not undefined. */

/** `{ key: value }`, or nothing where there is no value: to be spread. */
export function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
