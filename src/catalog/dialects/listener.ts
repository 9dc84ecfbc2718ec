/** One connection of PostgreSQL that hears of new events, kept while anybody wants to know and opened again when it breaks. */
import pg from 'pg';

/** The channel on which new events are told. */
export const EVENTS_CHANNEL = 'holdfast_events';

export interface Listening extends AsyncDisposable {
  /** Connects where there is no connection. Whoever waits polls as well, so a server that cannot be reached is no error here. */
  ensure(): Promise<void>;
}

export class Listener implements AsyncDisposable {
  readonly #url: string;
  readonly #heard: () => void;
  #holders = 0;
  #client: Promise<pg.Client | undefined> | undefined;

  constructor(url: string, heard: () => void) {
    this.#url = url;
    this.#heard = heard;
  }

  /** Listens until what it answers is disposed of. */
  async hold(): Promise<Listening> {
    this.#holders++;
    await this.#ensure();
    let held = true;
    return {
      ensure: () => this.#ensure(),
      [Symbol.asyncDispose]: async () => {
        if (!held) return;
        held = false;
        this.#holders--;
        if (this.#holders === 0) await this[Symbol.asyncDispose]();
      },
    };
  }

  async #ensure(): Promise<void> {
    this.#client ??= this.#connect();
    if ((await this.#client) === undefined) this.#client = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {}); // it was broken already
  }

  async #connect(): Promise<pg.Client | undefined> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'holdfast events',
      connectionTimeoutMillis: 10_000,
    });
    client.on('notification', () => this.#heard());
    client.on('error', () => this.#broke(client));
    client.on('end', () => this.#broke(client));
    try {
      await client.connect();
      await client.query(`listen ${EVENTS_CHANNEL}`);
      return client;
    } catch {
      await client.end().catch(() => {}); // the connection that could not be made
      return undefined;
    }
  }

  /** The next who asks connects anew; what was told meanwhile is found by reading. */
  async #broke(client: pg.Client): Promise<void> {
    if ((await this.#client) !== client) return;
    this.#client = undefined;
    this.#heard();
  }
}
