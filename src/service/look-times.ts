/** When the outside is looked at again. All in ms. */

/** Without any reason. */
const EVERY = 5 * 60_000;
/** While a run is under way that ends with a look anyway: it needs the machine for itself, but not for ever. */
const AT_LAST = 15 * 60_000;
/** After something changed; what belongs together is mostly over by then. */
const SETTLE = 3_000;

/** Looks that began before this do not say how things are now. `changedAt`: when a run ended after which things may look different. */
export function outdatedBefore(now: number, changedAt: number, underWay: boolean): number {
  const settled = now - changedAt >= SETTLE ? changedAt : 0;
  return Math.max(settled, now - (underWay ? AT_LAST : EVERY));
}
