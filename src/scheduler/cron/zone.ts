/** A time zone as what it does: an offset from UTC, and the instants at which that changes. */

const DAY = 86_400_000;
const SECOND = 1_000;

interface Change {
  readonly at: number;
  /** Milliseconds to add to UTC from then on. */
  readonly offset: number;
}

export class Zone {
  readonly #format: Intl.DateTimeFormat;
  /** By UTC year: the offset at its beginning, and each change in it, ascending. */
  readonly #years = new Map<number, readonly Change[]>();
  /** Where the last answer came from: most questions are about the same months. */
  #last: Change = { at: 0, offset: 0 };
  #lastUntil = 0;

  /** Throws a RangeError for what is no time zone. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  }

  /** Milliseconds to add to UTC at the instant `at`. */
  offset(at: number): number {
    return this.#segment(at).offset;
  }

  /** The first change after `at`, looked for within two years. */
  nextChange(at: number): number | undefined {
    const year = new Date(at).getUTCFullYear();
    for (let each = year; each <= year + 2; each++) {
      const [, ...changes] = this.#changes(each);
      const next = changes.find((change) => change.at > at);
      if (next !== undefined) return next.at;
    }
    return undefined;
  }

  /** The instant at which clocks show `local`: the first when they show it twice; when they never do, the moment they leapt over it. */
  instant(local: number): number {
    const earlier = this.offset(local - DAY);
    const later = this.offset(local + DAY);
    if (earlier === later && this.offset(local - earlier) === earlier) return local - earlier; // no change anywhere near
    const guesses = [local - Math.max(earlier, later), local - Math.min(earlier, later)];
    const shown = guesses.find((guess) => guess + this.offset(guess) === local);
    return shown ?? this.nextChange(guesses[0]!) ?? guesses[1]!;
  }

  #segment(at: number): Change {
    if (at >= this.#last.at && at < this.#lastUntil) return this.#last;
    const year = new Date(at).getUTCFullYear();
    const changes = this.#changes(year);
    const index = changes.findLastIndex((change) => change.at <= at);
    this.#last = changes[index]!;
    this.#lastUntil = changes[index + 1]?.at ?? Date.UTC(year + 1, 0, 1);
    return this.#last;
  }

  #changes(year: number): readonly Change[] {
    const known = this.#years.get(year);
    if (known !== undefined) return known;
    const changes = this.#find(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
    this.#years.set(year, changes);
    return changes;
  }

  /** Looks at each day; where two differ the change is between them. */
  #find(from: number, until: number): Change[] {
    const changes: Change[] = [{ at: from, offset: this.#ask(from) }];
    for (let day = from; day < until; day += DAY) {
      const before = changes.at(-1)!.offset;
      const end = Math.min(day + DAY, until - SECOND);
      if (this.#ask(end) === before) continue;
      const at = this.#bisect(day, end, before);
      changes.push({ at, offset: this.#ask(at) });
    }
    return changes;
  }

  #bisect(low: number, high: number, before: number): number {
    let [same, changed] = [low, high];
    while (changed - same > SECOND) {
      const middle = Math.floor((same + changed) / 2 / SECOND) * SECOND;
      if (this.#ask(middle) === before) same = middle;
      else changed = middle;
    }
    return changed;
  }

  #ask(at: number): number {
    const [month, day, year, hour, minute, second] = this.#format.format(at).match(/\d+/g)!.map(Number);
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - Math.floor(at / SECOND) * SECOND;
  }
}
