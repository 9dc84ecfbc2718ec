/** From where a request comes, and whether it came over TLS: by the socket, and by the headers of proxies that are trusted. */
import { BlockList, isIP } from 'node:net';
import type { Context } from 'hono';

export interface Origin {
  /** The address of the client; `unknown` where there is no socket. */
  readonly address: string;
  readonly secure: boolean;
  /** Host and port as the client wrote them. */
  readonly host: string | undefined;
}

/** What the adapter for Node.js hands over. */
interface Bindings {
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string; readonly encrypted?: boolean } };
}

export class Proxies {
  readonly #trusted = new BlockList();
  readonly #any: boolean;

  /** Addresses and networks in CIDR form, checked. */
  constructor(trusted: readonly string[]) {
    this.#any = trusted.length > 0;
    for (const written of trusted) {
      const [address = '', bits] = written.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      this.#trusted.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  originOf(context: Context): Origin {
    const socket = (context.env as Bindings | undefined)?.incoming?.socket;
    const peer = plain(socket?.remoteAddress ?? '');
    const host = context.req.header('host') ?? URL.parse(context.req.url)?.host;
    if (!this.#trusts(peer)) return { address: peer || 'unknown', secure: socket?.encrypted === true, host };
    const proto = context.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim();
    return {
      address: this.#client(peer, context.req.header('x-forwarded-for')),
      secure: proto === undefined ? socket?.encrypted === true : proto === 'https',
      host: context.req.header('x-forwarded-host')?.split(',').at(-1)?.trim() ?? host,
    };
  }

  /** From the right: each proxy appends whom it heard; the first that is not one of ours is the client. What stands left of it is hearsay. */
  #client(peer: string, header: string | undefined): string {
    let client = peer;
    for (const written of (header ?? '').split(',').reverse()) {
      const address = plain(written.trim());
      if (isIP(address) === 0) break;
      client = address;
      if (!this.#trusts(address)) break;
    }
    return client;
  }

  #trusts(address: string): boolean {
    if (!this.#any) return false;
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** IPv4 inside IPv6 as IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** What counts as one place: an IPv4 address, the network of 64 bits of an IPv6 address. */
export function placeOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
