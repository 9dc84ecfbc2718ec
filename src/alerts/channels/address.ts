/** Addresses that no message may be sent to unless the channel says so: whoever can change a name in DNS would reach what is behind the firewall. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
];

/** Unspecified, loopback, IPv4 in IPv6 in every notation (it would lead around the list above), private, link-local, multicast, documentation. */
const IPV6 = [
  ...['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23'],
  ...['2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];

/** One list for each: a list takes every IPv4 address for one of the range ::ffff:0:0/96. */
const closed = { ipv4: listOf(IPV4, 'ipv4'), ipv6: listOf(IPV6, 'ipv6') };

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits = ''] = range.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}

/** Whether everybody on the Internet can reach it. */
export function isPublic(address: string): boolean {
  if (isIPv4(address)) return !closed.ipv4.check(address, 'ipv4');
  return isIPv6(address) && !address.includes('%') && !closed.ipv6.check(address, 'ipv6');
}
