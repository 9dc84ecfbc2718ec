/** Physical replication slots, by replication commands: what a role with REPLICATION may do, on either kind of connection. */
import { type Lsn, parseLsn } from '../lsn.ts';
import type { ReplicationConnection } from '../replication-connection.ts';
import { sqlstateOf } from '../server-error.ts';

const DUPLICATE_OBJECT = '42710';
const UNDEFINED_OBJECT = '42704';
const MAX_NAME = 63;

export interface SlotPosition {
  /** From where on the server keeps WAL; undefined for a slot that keeps nothing. */
  readonly restartLsn: Lsn | undefined;
}

/** The name a slot can have: lower case letters, digits and underscores, 63 at most. */
export function slotName(wanted: string): string {
  return wanted
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .slice(0, MAX_NAME);
}

/** Undefined when there is no such physical slot. */
export async function readSlot(connection: ReplicationConnection, name: string): Promise<SlotPosition | undefined> {
  const [result] = await connection.query(`READ_REPLICATION_SLOT "${name}"`, 'Reading the replication slot');
  const row = result?.rows[0];
  if (row?.slot_type == null) return undefined;
  return { restartLsn: row.restart_lsn == null ? undefined : parseLsn(row.restart_lsn) };
}

/** Makes a slot that keeps WAL from now on. Returns false when there is one already. */
export async function createSlot(connection: ReplicationConnection, name: string): Promise<boolean> {
  try {
    await connection.query(`CREATE_REPLICATION_SLOT "${name}" PHYSICAL RESERVE_WAL`, 'Making the replication slot');
    return true;
  } catch (error) {
    if (sqlstateOf(error) === DUPLICATE_OBJECT) return false;
    throw error;
  }
}

/** Removes the slot; one that is not there is no error. */
export async function dropSlot(connection: ReplicationConnection, name: string): Promise<void> {
  try {
    await connection.query(`DROP_REPLICATION_SLOT "${name}" WAIT`, 'Removing the replication slot');
  } catch (error) {
    if (sqlstateOf(error) !== UNDEFINED_OBJECT) throw error;
  }
}
