/** Which tables a copy of the catalog holds, in the order they are read, and how their rows are found one after the other. */
import type { CatalogTables } from '../schema.ts';

export interface CopiedTable {
  readonly name: keyof CatalogTables;
  /** The columns of its primary key. */
  readonly key: readonly string[];
  /** Rows that a copy in the repository holds at most, the last by key; absent: all, 0: none. */
  readonly essential?: number;
}

export const COPIED: readonly CopiedTable[] = [
  { name: 'catalog_values', key: ['key'] },
  { name: 'schedules', key: ['id'] },
  { name: 'users', key: ['id'] },
  { name: 'grants', key: ['user_id', 'app'] },
  { name: 'tokens', key: ['id'] },
  { name: 'mutes', key: ['id'] },
  { name: 'approvals', key: ['id'], essential: 1_000 },
  { name: 'audit', key: ['seq'], essential: 20_000 },
  { name: 'alerts', key: ['id'], essential: 5_000 },
  { name: 'deliveries', key: ['id'], essential: 0 },
  { name: 'runs', key: ['id'], essential: 10_000 },
  { name: 'run_inputs', key: ['run_id', 'seq'], essential: 5_000 },
  { name: 'run_steps', key: ['run_id', 'attempt', 'seq'], essential: 0 },
  { name: 'run_log', key: ['run_id', 'seq'], essential: 0 },
  { name: 'events', key: ['seq'], essential: 0 },
  { name: 'points', key: ['id'], essential: 0 },
  { name: 'measurements', key: ['name', 'app', 'storage', 'at'], essential: 100_000 },
  { name: 'ledger', key: ['storage', 'object'], essential: 0 },
];

/** What has no meaning in another catalog: who is alive or logged in now, what was just asked. */
export const LEFT_OUT: readonly (keyof CatalogTables)[] = [
  'workers',
  'leases',
  'sessions',
  'login_limits',
  'oidc_logins',
  'idempotency',
];
