/** For objects whose members must be absent, not undefined. */

/** `{ key: value }`, or nothing where there is no value: to be spread. */
export function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

type Present<O> = { [K in keyof O as undefined extends O[K] ? never : K]: O[K] } & {
  [K in keyof O as undefined extends O[K] ? K : never]?: Exclude<O[K], undefined>;
};

/** `o` without the keys whose value is undefined. */
export function present<O extends object>(o: O): Present<O> {
  return Object.fromEntries(Object.entries(o).filter(([, value]) => value !== undefined)) as Present<O>;
}
