/**
 * What a data directory must not carry into its next life, and the one setting it needs there.
 *
 * Tablespaces come back as real directories under `pg_tblspc/<oid>`, without links or `tablespace_map`, so that the tree starts wherever it is
 * put: links would point to the original's place. PostgreSQL accepts such directories during recovery only when
 * `allow_in_place_tablespaces` is on.
 */

/** Files left out: they would make the copy a standby, or speak of a process that is not there. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['standby.signal', 'a restored copy is not a standby'],
  ['recovery.signal', 'a restored copy recovers from the WAL that lies beside it'],
  ['postmaster.pid', 'it names a process of the original'],
  ['postmaster.opts', 'it names the start options of the original'],
]);

/** Why the file at `path` is left out; `undefined` when it is kept. */
export function reasonToLeaveOut(path: string): string | undefined {
  return LEFT_OUT.get(path);
}

export const AUTO_CONF = 'postgresql.auto.conf';

const IN_PLACE = `
# Added by Holdfast: tablespaces lie inside this data directory, under pg_tblspc.
allow_in_place_tablespaces = 'on'
`;

/** `postgresql.auto.conf` with what a copy with tablespaces needs in order to start. */
export function withInPlaceTablespaces(autoConf: Uint8Array): Uint8Array {
  if (/^\s*allow_in_place_tablespaces\s*=?\s*'?on'?/m.test(Buffer.from(autoConf).toString('latin1'))) return autoConf;
  return Buffer.concat([autoConf, Buffer.from(IN_PLACE)]);
}

/** Settings of `postgresql.auto.conf` that point from the copy to the living, each with the reason why that does no harm, or may. */
export function livingReferences(autoConf: Uint8Array): readonly string[] {
  const text = Buffer.from(autoConf).toString('utf8');
  const names = ['primary_conninfo', 'primary_slot_name', 'restore_command', 'archive_command', 'archive_library'];
  return names.filter((name) => new RegExp(`^\\s*${name}\\s*=?\\s*'[^']`, 'm').test(text));
}
