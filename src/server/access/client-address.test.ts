import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from 'hono';
import { Proxies, placeOf } from './client-address.ts';

function asked(remoteAddress: string, headers: Record<string, string> = {}, encrypted = false): Context {
  return {
    env: { incoming: { socket: { remoteAddress, encrypted } } },
    req: {
      url: 'http://inside:8420/',
      header: (name: string) => ({ host: 'inside:8420', ...headers })[name.toLowerCase()],
    },
  } as unknown as Context;
}

const forwarded = {
  'x-forwarded-for': '6.6.6.6, 203.0.113.7, 10.1.2.3',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'backup.example',
};

test('headers of proxies are believed from trusted addresses only', () => {
  const proxies = new Proxies(['10.0.0.0/8', '::1']);
  assert.deepEqual(proxies.originOf(asked('198.51.100.9', forwarded)), {
    ...{ address: '198.51.100.9', secure: false, host: 'inside:8420' },
  });
  assert.deepEqual(proxies.originOf(asked('::ffff:10.9.9.9', forwarded)), {
    ...{ address: '203.0.113.7', secure: true, host: 'backup.example' },
  });
  assert.equal(proxies.originOf(asked('::1', { 'x-forwarded-for': '2001:db8::5' })).address, '2001:db8::5');
  assert.equal(new Proxies([]).originOf(asked('10.9.9.9', forwarded)).address, '10.9.9.9');
});

test('what a client writes into the header itself changes nothing', () => {
  const proxies = new Proxies(['10.0.0.1']);
  const address = (header: string) => proxies.originOf(asked('10.0.0.1', { 'x-forwarded-for': header })).address;
  assert.equal(address('10.0.0.1, 203.0.113.7'), '203.0.113.7');
  assert.equal(address('203.0.113.7, nonsense'), '10.0.0.1');
  assert.equal(address(''), '10.0.0.1');
  assert.equal(proxies.originOf(asked('10.0.0.1', {}, true)).secure, true, 'TLS up to here');
});

test('an IPv6 network of 64 bits is one place', () => {
  assert.equal(placeOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(placeOf('2001:db8:1:2::9'), '2001:db8:1:2::/64');
  assert.equal(placeOf('2001:DB8::1'), '2001:db8:0:0::/64');
  assert.equal(placeOf('::1'), '0:0:0:0::/64');
  assert.equal(placeOf('203.0.113.7'), '203.0.113.7');
});
