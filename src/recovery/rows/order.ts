/** In which order tables are written: what is referenced first; tables that reference each other in a circle together. */
import type { ForeignKey } from './catalog.ts';
import { sameTable, type TableName } from './quoting.ts';

/**
 * Groups of tables, parents before children (Tarjan's strongly connected components). A group of several is a circle: its tables are
 * written by one statement, at whose end the server checks the keys.
 */
export function writeOrder<T>(
  items: readonly T[],
  tableOf: (item: T) => TableName,
  keys: readonly ForeignKey[],
): readonly (readonly T[])[] {
  const parents = items.map((item) => {
    const own = keys.filter(({ child }) => sameTable(child, tableOf(item)));
    return items.flatMap((other, at) => (own.some(({ parent }) => sameTable(parent, tableOf(other))) ? [at] : []));
  });
  return components(parents).map((group) => group.map((at) => items[at]!));
}

/** Components of the graph whose node `n` points to `edges[n]`, those that are pointed to first. */
function components(edges: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const found: number[][] = [];
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const visit = (node: number): void => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    for (const next of edges[node]!) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) === order.get(node)) found.push(stack.splice(stack.indexOf(node)));
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}
