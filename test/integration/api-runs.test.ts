/** Runs, schedules and events by the API: asked for once, listed without gaps, told in order, and whatever is thrown at it is answered. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { addSchedule } from '../../src/catalog/schedules.ts';
import { type ApiServer, apiServer } from '../support/api.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

interface RunShown {
  readonly id: string;
  readonly state: string;
  readonly kind: string;
}
interface Page {
  readonly items: readonly RunShown[];
  readonly next: string | null;
}

let world: BackupApp;
let api: ApiServer;

before(async () => {
  world = await backupApp();
  api = await apiServer({ configFile: world.configFile, limits: { heartbeat: 100 } });
});

after(async () => {
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const read = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T;
const post = (path: string, json: object | undefined, key?: string, who = 'administrator') =>
  api.ask(path, {
    ...{ method: 'POST', who },
    ...(json === undefined ? {} : { json }),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
const countRuns = async () => (await api.catalog.db.selectFrom('runs').select('id').execute()).length;

test('a request with an Idempotency-Key is done once: repeated, at the same time, after a restart, taken over', async () => {
  const wanted = { kind: 'backup', params: { label: 'once' } };
  const before = await countRuns();
  const [first, twin] = await Promise.all([
    post('/api/v1/runs', wanted, 'key-1'),
    post('/api/v1/runs', wanted, 'key-1'),
  ]);
  const text = await first.text();
  assert.equal(first.status, 202);
  assert.equal(await twin.text(), text);
  const again = await post('/api/v1/runs', wanted, 'key-1');
  assert.deepEqual([await again.text(), again.headers.get('idempotency-replayed')], [text, 'true']);
  assert.equal(again.headers.get('location'), first.headers.get('location'));
  const other = await post('/api/v1/runs', { kind: 'check' }, 'key-1');
  assert.deepEqual([other.status, (await read<{ code: string }>(other)).code], [422, 'key_reused']);
  assert.equal((await post('/api/v1/runs', wanted, 'key-1', 'operator')).status, 202, 'keys belong to who sent them');
  assert.equal(await countRuns(), before + 2);

  await using restarted = await apiServer({
    ...{ configFile: world.configFile, catalogPath: api.dir.join('catalog.sqlite') },
  });
  const later = await restarted.ask('/api/v1/runs', {
    ...{ method: 'POST', json: wanted, headers: { 'idempotency-key': 'key-1' } },
  });
  assert.equal(await later.text(), text);

  // A process that died after the run was made and before it answered.
  const died = { status: null, headers: null, body: null, created_at: 0 };
  await api.catalog.db.updateTable('idempotency').set(died).where('key', '=', 'key-1').execute();
  const takenOver = await read<{ run: RunShown }>(post('/api/v1/runs', wanted, 'key-1'));
  assert.equal(takenOver.run.id, (JSON.parse(text) as { run: RunShown }).run.id);
  assert.equal(await countRuns(), before + 2);
});

test('pages of runs hold every run once, while others are made', async () => {
  const known = new Set((await api.catalog.db.selectFrom('runs').select('id').execute()).map(({ id }) => id));
  for (let i = 0; i < 60; i++) {
    const { run } = await createRun(api.catalog.db, { app: 'clinic', kind: 'prove', trigger: 'api' }, 1_000 + i);
    known.add(run.id);
  }
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await read(api.ask(`/api/v1/runs?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`));
    seen.push(...page.items.map(({ id }) => id));
    await createRun(api.catalog.db, { app: 'clinic', kind: 'check', trigger: 'api' }, Date.now());
    cursor = page.next;
  }
  assert.equal(new Set(seen).size, seen.length, 'none twice');
  assert.deepEqual(
    [...known].filter((id) => !seen.includes(id)),
    [],
    'none missing',
  );
  const filtered = await read<Page>(api.ask('/api/v1/runs?kind=prove&state=queued&state=running&limit=500'));
  assert.equal(filtered.items.length, 60);
  assert.equal((await api.ask('/api/v1/runs?cursor=nonsense')).status, 422);
});

test('a run is cancelled once, noted on, and hidden from those of other apps', async () => {
  const { run } = await read<{ run: RunShown }>(post('/api/v1/runs', { kind: 'backup' }));
  const path = `/api/v1/runs/${run.id}`;
  assert.equal((await api.ask(path, { who: 'viewer@other' })).status, 404);
  assert.equal((await api.ask(path, { who: 'viewer@clinic' })).status, 200);
  const note = await post(`${path}/inputs`, { kind: 'note', text: 'why is it slow?' });
  assert.deepEqual([note.status, (await read<{ seq: number }>(note)).seq], [201, 1]);
  assert.equal((await post(`${path}/cancel`, undefined, undefined, 'viewer')).status, 403);
  assert.equal((await read<RunShown>(post(`${path}/cancel`, undefined))).state, 'cancelled');
  const shown = await read<RunShown>(api.ask(path));
  for (const _ of ['read', 'kept'])
    assert.deepEqual((await read<Page>(api.ask('/api/v1/runs?state=cancelled&limit=1'))).items, [shown]);
  const again = await post(`${path}/cancel`, undefined);
  assert.deepEqual([again.status, (await read<{ code: string }>(again)).code], [409, 'run_ended']);
});

test('schedules: made, changed only as they were read, run now, removed; the file keeps its own', async () => {
  const made = await post('/api/v1/schedules', { kind: 'check', cron: '0 4 * * *', timezone: 'Europe/Madrid' });
  assert.equal(made.status, 201);
  const path = made.headers.get('location') ?? '';
  const etag = (await api.ask(path)).headers.get('etag') ?? '';
  const change = (json: object, tag = etag) => api.ask(path, { method: 'PATCH', json, headers: { 'if-match': tag } });
  const changed = await change({ enabled: false, cron: '0 5 * * *' });
  assert.equal(changed.status, 200);
  assert.equal((await read<{ next_at: null }>(changed)).next_at, null);
  assert.equal((await change({ enabled: true })).status, 412, 'somebody changed it meanwhile');
  for (const wrong of [{ cron: 'every day' }, { timezone: 'Mars/Phobos' }, { params: { nonsense: 1 } }, { kind: 'x' }])
    assert.equal((await change(wrong, '*')).status, 422, JSON.stringify(wrong));
  assert.equal(
    (await post('/api/v1/schedules', { kind: 'check', cron: '0 4 * * *' })).status,
    422,
    'the name is taken',
  );
  assert.equal((await post(`${path}/run`, undefined)).status, 202);
  assert.equal((await api.ask(path, { method: 'DELETE' })).status, 204);
  assert.equal((await api.ask(path)).status, 404);
});

test('what the configuration file says can be looked at and run by the API, and changed in the file only', async () => {
  const fixed = {
    cron: '0 2 * * *',
    timezone: 'UTC',
    jitterMs: 0,
    catchUp: true,
    blackout: [],
    priority: 0,
    retries: 0,
  };
  const nightly = { app: 'clinic', kind: 'backup', name: 'nightly', params: {}, labels: {}, enabled: true };
  const times = { evaluatedUntil: Date.now(), nextAt: null };
  const { id } = await addSchedule(api.catalog.db, { ...fixed, ...nightly, origin: 'file' }, times, Date.now());
  const codeOf = async (path: string, options: Parameters<ApiServer['ask']>[1]) => {
    const response = await api.ask(path, options);
    return [response.status, ((await response.json()) as { code?: string }).code];
  };
  const refused = [409, 'managed_by_file'];
  const path = `/api/v1/schedules/${id}`;
  assert.deepEqual(await codeOf(path, { method: 'PATCH', json: { enabled: false } }), refused);
  assert.deepEqual(await codeOf(path, { method: 'DELETE' }), refused);
  const configuration = `/api/v1/backup/configurations/${id}`;
  assert.deepEqual(await codeOf(configuration, { method: 'PATCH', json: { is_active: false } }), refused);
  assert.equal((await read<{ managed_by_file: boolean }>(api.ask(configuration))).managed_by_file, true);
  assert.equal((await post(`${path}/run`, undefined)).status, 202);
  assert.equal((await read<{ enabled: boolean }>(api.ask(path))).enabled, true);
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    assert.deepEqual(await codeOf('/api/v1/channels', { method }), [405, 'method_refused'], 'channels are in the file');
});

test('backup configurations and jobs are schedules and runs by other paths', async () => {
  const made = await read<{ id: string; frequency: string; cron: string }>(
    post('/api/v1/backup/configurations/', { name: 'sunday', type: 'FILES', frequency: 'WEEKLY', time: '03:00' }),
  );
  assert.deepEqual([made.frequency, made.cron], ['WEEKLY', '0 3 * * 0']);
  const path = `/api/v1/backup/configurations/${made.id}`;
  assert.deepEqual(await read(api.ask(`/api/v1/backup/configurations/${made.id}/`)), made);
  const job = await post(`${path}/execute/`, undefined);
  assert.equal(job.status, 202);
  const shown = await read<{ status: string; configuration: string }>(api.ask(job.headers.get('location') ?? ''));
  assert.deepEqual([shown.status, shown.configuration], ['PENDING', made.id]);
  const off = await read<{ is_active: boolean }>(api.ask(path, { method: 'PATCH', json: { is_active: false } }));
  assert.equal(off.is_active, false);
  assert.equal((await api.ask(`${job.headers.get('location')}/download/`)).status, 404, 'nothing was made yet');
  const restore = { backup: 'latest', to: '/tmp/nowhere', sources: ['media'] };
  assert.equal((await post('/api/v1/backup/restores/restore_from_backup/', restore)).status, 202);
  assert.equal((await read<Page>(api.ask('/api/v1/backup/restores/'))).items.length, 1);
});

test('events: each once and in order, also for who comes back, filtered, with signs of life', async () => {
  const begin = (await read<{ next: number }>(api.ask('/api/v1/events/list?after=0&limit=500'))).next;
  const all = new EventReader(await stream(`/api/v1/events?type=run&after=${begin}`));
  const ids: number[] = [];
  const make = async () => read<{ run: RunShown }>(post('/api/v1/runs', { kind: 'backup' }));
  for (let i = 0; i < 5; i++) await make();
  while (ids.length < 3) ids.push((await all.next()).id);
  await all.close();
  for (let i = 0; i < 5; i++) await make();
  const back = new EventReader(await stream('/api/v1/events?type=run', { 'last-event-id': String(ids.at(-1)) }));
  while (ids.length < 10) ids.push((await back.next()).id);
  await back.close();
  const listed = await read<{ items: { seq: number; type: string }[] }>(
    api.ask(`/api/v1/events/list?after=${begin}&type=run`),
  );
  assert.deepEqual(
    ids,
    listed.items.map(({ seq }) => seq),
  );

  const other = await openCatalog({ path: api.dir.join('catalog.sqlite') });
  const one = new EventReader(await stream(`/api/v1/events?app=clinic`, {}, 'viewer@clinic'));
  const { run } = await createRun(other.db, { app: 'clinic', kind: 'sync', trigger: 'cli' }, Date.now());
  assert.equal((await one.next()).run, run.id, 'made by another process');
  await one.comment();
  await one.close();
  await other[Symbol.asyncDispose]();
  assert.equal((await api.ask('/api/v1/events', { who: 'viewer@clinic' })).status, 403);
  assert.equal((await api.ask('/api/v1/events', { headers: { 'last-event-id': 'x' } })).status, 422);
});

async function stream(path: string, headers: Record<string, string> = {}, who = 'administrator'): Promise<Response> {
  const response = await api.ask(path, { headers, who });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  return response;
}

/** Blocks of a stream of events, one after the other. */
class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = '';

  constructor(response: Response) {
    this.#reader = response.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  async next(): Promise<{ id: number; type: string; run: string | null }> {
    for (;;) {
      const block = await this.#block();
      const data = /^data: (.+)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      const { seq, type, run } = JSON.parse(data) as { seq: number; type: string; run: string | null };
      assert.match(block, new RegExp(`^event: ${type}\\nid: ${seq}$`, 'm'));
      return { id: seq, type, run };
    }
  }

  /** Waits for a sign of life. */
  async comment(): Promise<void> {
    while (!(await this.#block()).startsWith(':'));
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }

  async #block(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error('the stream ended');
      this.#text += new TextDecoder().decode(value);
    }
  }
}

test('whatever is thrown at any route is refused as a problem, never as a failure of ours', async () => {
  const evil = ['', '-1', '../../etc/passwd', 'a'.repeat(5_000), '\u0000', "' or 1=1 --", '\u202e💣'];
  const bodies = [
    '',
    '[]',
    '1',
    '"x"',
    'null',
    '{"__proto__":{"a":1}}',
    '{"kind":{}}',
    '{"kind":"backup","params":[]}',
    '{"a":'.repeat(2_000),
  ];
  const slow = ['runDoctor', 'runHealthCheck', 'getStatus', 'getSystemStatus', 'getKit', 'streamEvents'];
  for (const endpoint of api.app.api.endpoints.filter(({ id }) => !slow.includes(id))) {
    const answers: Promise<void>[] = [];
    const attack = (path: string, body?: string) => {
      const request = api.ask(path, {
        method: endpoint.method,
        ...(body === undefined || endpoint.method === 'GET'
          ? {}
          : { body, headers: { 'content-type': endpoint.upload?.[0] ?? 'application/json' } }),
      });
      answers.push(request.then((response) => judge(`${endpoint.method} ${path} ${body?.slice(0, 60)}`, response)));
    };
    const fill = (word: string) => endpoint.path.replace(/\{\w+\}/g, () => encodeURIComponent(word));
    for (const word of evil) {
      attack(fill(word === '' || word === '.' ? 'x' : word));
      for (const name of [...Object.keys(endpoint.query.shape), 'unknown'])
        attack(`${fill('latest')}?${name}=${encodeURIComponent(word)}`);
    }
    for (const body of bodies) attack(fill('0'.repeat(26)), body);
    await Promise.all(answers);
  }
});

async function judge(what: string, response: Response): Promise<void> {
  assert.ok(response.status < 500, `${what}: ${response.status} ${await response.clone().text()}`);
  if (response.status < 400) return void (await response.body?.cancel());
  assert.equal(response.headers.get('content-type'), 'application/problem+json', what);
  const problem = (await response.json()) as { code: string; status: number };
  assert.equal(problem.status, response.status, what);
  assert.match(problem.code, /^[a-z_]+$/, what);
}
