/** SQL for a database of a given size: half of it shaped like pgbench's accounts, half like what applications keep (texts, numbers, hashes). */

/** Bytes that a row of `accounts` and of `notes` take on disk, with their indexes, as measured. */
const ACCOUNT_BYTES = 155;
const NOTE_BYTES = 420;

/** Statements that fill an empty database with about `bytes` of relations. The same rows every time. */
export function fillStatements(bytes: number): string[] {
  const accounts = Math.floor(bytes / 2 / ACCOUNT_BYTES);
  const notes = Math.floor(bytes / 2 / NOTE_BYTES);
  return [
    `create table accounts as
       select i as aid, i / 100000 as bid, (hashint4(i) % 5000) as abalance, rpad('', 84)::char(84) as filler
       from generate_series(1, ${accounts}) i`,
    'alter table accounts add primary key (aid)',
    `create table notes as
       select i as id, md5(i::text) as token, hashint4(i) % 100000 as patient,
         timestamptz '2024-01-01 00:00Z' + i * interval '61 s' as written,
         'Note ' || i || ': ' || repeat((array['stable', 'improved', 'to be seen again', 'referred', 'no findings'])[1 + i % 5] || ' ', 4)
           || md5((i * 7)::text) || ' ' || md5((i * 13)::text) || md5((i * 17)::text) || sha512(i::text::bytea)::text as body
       from generate_series(1, ${notes}) i`,
    'alter table notes add primary key (id)',
    'create index on notes (patient, written)',
    'analyze',
    'checkpoint',
  ];
}
