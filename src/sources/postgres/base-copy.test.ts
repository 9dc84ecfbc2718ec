import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerSetup } from '../../postgres/server-settings.ts';
import { type BaseCopy, dueForFull, obstacleTo } from './base-copy.ts';

const DAY = 24 * 3600 * 1000;
const NOW = Date.parse('2026-11-20T12:00:00Z');
const setup = { versionNum: 170010, summarizesWal: true, blockSize: 8192, segmentPages: 131_072 } as ServerSetup;
const base: BaseCopy = {
  point: 'aabbccdd',
  systemIdentifier: '7000000000000000001',
  timeline: 2,
  startLsn: '1/0',
  stopLsn: '1/100',
  bytes: 10 * 1024 ** 3,
  isDamaged: false,
  lastFull: { time: '2026-11-19T12:00:00Z', incrementals: 3 },
  files: new Map(),
};
const identity = { systemIdentifier: base.systemIdentifier, timeline: 2, position: 0x1_1000_0000n };

const reason = (
  changed: { base?: Partial<BaseCopy>; setup?: Partial<ServerSetup>; identity?: Partial<typeof identity> } = {},
): string | undefined =>
  obstacleTo({ ...base, ...changed.base }, { ...setup, ...changed.setup }, { ...identity, ...changed.identity })
    ?.reason;

test('nothing is in the way of an incremental backup of the same cluster', () => {
  assert.equal(reason(), undefined);
  assert.equal(dueForFull(base, NOW), undefined);
});

test('each obstacle has its reason', () => {
  assert.match(reason({ setup: { versionNum: 160014 } }) ?? '', /PostgreSQL 16 has no incremental backups/);
  assert.match(reason({ setup: { summarizesWal: false } }) ?? '', /ALTER SYSTEM SET summarize_wal = on/);
  assert.match(reason({ setup: { blockSize: 4096 } }) ?? '', /page or segment size/);
  assert.match(reason({ identity: { systemIdentifier: '7' } }) ?? '', /another cluster/);
  assert.match(reason({ identity: { timeline: 3 } }) ?? '', /timeline 3, the point aabbccdd is of timeline 2/);
  assert.match(reason({ base: { isDamaged: true } }) ?? '', /damaged pages/);
  assert.match(reason({ identity: { position: 5n } }) ?? '', /set back/);
  assert.match(
    reason({ identity: { position: 0x1_0000_0000n + 21n * 1024n ** 3n } }) ?? '',
    /more than twice as much log/,
  );
});

test('everything is read after seven days, and after two hundred incremental backups', () => {
  assert.equal(dueForFull(base, Date.parse(base.lastFull.time) + 7 * DAY - 1), undefined);
  assert.match(dueForFull(base, Date.parse(base.lastFull.time) + 7 * DAY)?.reason ?? '', /every 7 d/);
  const many = { ...base, lastFull: { ...base.lastFull, incrementals: 200 } };
  assert.match(dueForFull(many, NOW)?.reason ?? '', /after 200 incremental backups/);
});
