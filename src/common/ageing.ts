/** What waits, in the order in which it came: the oldest is known at once, and any of them can be taken out. */

interface Link<Item> {
  readonly item: Item;
  older: Link<Item> | undefined;
  newer: Link<Item> | undefined;
}

/** A list, not a Set: the first of a Set is found behind the gaps of all that were taken out before it. */
export class Ageing<Item> {
  readonly #links = new Map<Item, Link<Item>>();
  #oldest: Link<Item> | undefined;
  #newest: Link<Item> | undefined;

  get oldest(): Item | undefined {
    return this.#oldest?.item;
  }

  has(item: Item): boolean {
    return this.#links.has(item);
  }

  /** One comes, or comes back: it is the newest. It must not be there. */
  add(item: Item): void {
    const link: Link<Item> = { item, older: this.#newest, newer: undefined };
    if (this.#newest) this.#newest.newer = link;
    else this.#oldest = link;
    this.#newest = link;
    this.#links.set(item, link);
  }

  delete(item: Item): void {
    const link = this.#links.get(item);
    if (!link) return;
    this.#links.delete(item);
    const { older, newer } = link;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
