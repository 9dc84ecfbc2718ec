/**
 * One asking for many who want to know the same thing. Whoever comes while one is under way shares the next, not this one: what anybody hears
 * was asked for after they wanted to know it.
 */
export class SharedAsking<T> {
  readonly #ask: () => Promise<T>;
  #underWay: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  ask(): Promise<T> {
    if (this.#underWay === undefined) return this.#begin();
    if (this.#next === undefined) {
      const follow = () => this.#begin();
      this.#next = this.#underWay.then(follow, follow);
    }
    return this.#next;
  }

  #begin(): Promise<T> {
    const asked = this.#ask();
    this.#underWay = asked;
    this.#next = undefined;
    const end = () => {
      if (this.#underWay === asked) this.#underWay = undefined;
    };
    asked.then(end, end);
    return asked;
  }
}
