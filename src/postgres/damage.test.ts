import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DamagedPages, damageFromNotice } from './damage.ts';

function collected(...messages: readonly string[]): DamagedPages[] {
  const damaged = new Map<string, DamagedPages>();
  for (const message of messages) damageFromNotice({ severity: 'WARNING', sqlstate: '01000', message }, damaged);
  return [...damaged.values()];
}

test('pages are gathered per file; totals add no block', () => {
  const found = collected(
    'checksum verification failed in file "./base/5/16406", block 3: calculated 7A1F but expected 9B02',
    'checksum verification failed in file "./base/5/16406", block 12: calculated 1 but expected 2',
    'further checksum verification failures in file "./base/5/16406" will not be reported',
    'file "./base/5/16406" has a total of 9 checksum verification failures',
    'checksum verification failed in file "./pg_tblspc/16384/PG_17_202406281/5/16390", block 0: calculated 1 but expected 2',
  );
  assert.deepEqual(found, [
    { path: 'base/5/16406', blocks: [3, 12] },
    { path: 'pg_tblspc/16384/PG_17_202406281/5/16390', blocks: [0] },
  ]);
});

test('a translated warning is recognised by the file it names', () => {
  const found = collected('Prüfsummenüberprüfung fehlgeschlagen in Datei »x«', 'la suma falló en el archivo «x»');
  assert.deepEqual(found, []);
  const named = collected('échec de la vérification dans le fichier "./base/5/16406", bloc 3 : 7A1F calculé');
  assert.equal(named[0]?.path, 'base/5/16406');
});

test('other warnings are none of ours', () => {
  assert.deepEqual(collected('could not read symbolic link', 'aborting backup due to backend exiting'), []);
});
