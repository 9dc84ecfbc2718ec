import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originOf } from './config-paths.ts';

const BASE = '/srv/app';

test('files chosen by relative paths go below the base, all others where they were', () => {
  const paths = ['compose.yaml', 'conf.d/*.conf', 'deploy/', '/etc/nginx/**', '/etc/hosts', '../common/x.ini'];
  for (const [stored, origin] of [
    ['compose.yaml', '/srv/app/compose.yaml'],
    ['conf.d/a.conf', '/srv/app/conf.d/a.conf'],
    ['deploy/prod/settings.py', '/srv/app/deploy/prod/settings.py'],
    ['etc/nginx/sites/a', '/etc/nginx/sites/a'],
    ['etc/hosts', '/etc/hosts'],
    ['srv/common/x.ini', '/srv/common/x.ini'],
    ['etc/passwd', undefined],
    ['conf.d/a.txt', undefined],
  ] as const) {
    assert.equal(originOf(stored, paths, BASE), origin, stored);
  }
});
