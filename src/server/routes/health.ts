/** For load balancers and monitoring: does the process answer, and can it work. */
import { sql } from 'kysely';
import * as endpoints from '../../api/system.ts';
import { asFailure } from '../../base/failure.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { MIGRATIONS } from '../../catalog/migrations.ts';
import type { Api } from '../api.ts';

/** How long the catalog may take to say that it is there, in ms. */
const ANSWER_MS = 3_000;

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string | null;
}

export function registerHealth(api: Api): void {
  const { catalog, clock, signal } = api.deps;

  api.route(endpoints.getHealthz, async () => ({ body: { status: 'ok' as const } }));

  api.route(endpoints.getReadyz, async () => {
    const checks = [
      await check('catalog', () => inTime(clock.sleep(ANSWER_MS), newestMigration(catalog))),
      { name: 'stopping', ok: !signal.aborted, detail: signal.aborted ? 'The server is stopping.' : null },
    ];
    const ready = checks.every(({ ok }) => ok);
    const body = { ready, checks };
    return ready
      ? { body }
      : new Response(JSON.stringify(body), { status: 503, headers: { 'content-type': 'application/json' } });
  });
}

async function check(name: string, look: () => Promise<string | null>): Promise<Check> {
  try {
    const wrong = await look();
    return { name, ok: wrong === null, detail: wrong };
  } catch (error) {
    return { name, ok: false, detail: asFailure(error).message };
  }
}

/** Null when the catalog has the form that this program knows. */
async function newestMigration({ db }: Catalog): Promise<string | null> {
  const found = await sql<{ name: string }>`select name from catalog_migrations order by name desc limit 1`.execute(db);
  const is = found.rows[0]?.name;
  const wanted = Object.keys(MIGRATIONS).sort().at(-1);
  return is === wanted ? null : `The catalog has the form "${is ?? 'none'}", this program wants "${wanted}".`;
}

function inTime(time: Promise<void>, work: Promise<string | null>): Promise<string | null> {
  return Promise.race([work, time.then(() => 'It does not answer in time.')]);
}
