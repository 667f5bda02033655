/**
 * Keeps notifications out of private networks: a name is judged by the addresses that it resolves to, at the moment of the
 * connection, so that a name that changes its address gains nothing.
 */
import * as dns from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

const privateRanges = [
  // This network, private, shared, loopback, link-local (metadata of clouds), documentation, benchmarks, multicast, reserved.
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // The same of IPv6, and what embeds an address of IPv4.
  "::/128",
  "::1/128",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8"
]

/** A range of addresses, such as `10.2.0.0/16`, or a single address. */
export const parseRange = (text: string): { readonly address: string; readonly bits: number } | undefined => {
  const [address = "", bits, ...more] = text.split("/")
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  if (family === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined
  const length = bits === undefined ? most : Number(bits)
  return length <= most ? { address, bits: length } : undefined
}

const listOf = (ranges: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const text of ranges) {
    const range = parseRange(text)
    if (range !== undefined) list.addSubnet(range.address, range.bits, isIP(range.address) === 4 ? "ipv4" : "ipv6")
  }
  return list
}

const blocked = listOf(privateRanges)

/** What became of an address that the guard does not let through. */
export class ForbiddenAddress extends Error {
  override readonly name = "ForbiddenAddress"
}

/** Resolves a name to all its addresses. */
export type Resolve = (host: string) => Promise<ReadonlyArray<{ readonly address: string; readonly family: number }>>

const resolveBySystem: Resolve = (host) => dns.promises.lookup(host, { all: true, verbatim: true })

/**
 * Decides which addresses may be connected to: public ones, and the ones in `allow`.
 *
 * *Details*: `checkHost` throws `ForbiddenAddress` for a host that is an address itself, which needs no resolution; `lookup` is
 * for sockets. With `onlyAllowed`, as without encryption, public addresses are forbidden too.
 */
export const makeAddressGuard = (
  allow: ReadonlyArray<string> = [],
  resolve: Resolve = resolveBySystem,
  onlyAllowed = false
) => {
  const allowed = listOf(allow)
  const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")
  const check = (address: string): void => {
    if (allowed.check(address, family(address))) return
    if (onlyAllowed) throw new ForbiddenAddress(`http to ${address} is not allowed`)
    if (blocked.check(address, family(address))) throw new ForbiddenAddress(`${address} is in a private network`)
  }
  const lookup: LookupFunction = (host, options, done) => {
    resolve(host)
      .then((found) => {
        for (const { address } of found) check(address)
        const fit = found.filter(({ family }) => !options.family || options.family === family)
        const [first] = fit
        if (first === undefined) throw Object.assign(new Error(`${host} has no address`), { code: "ENOTFOUND" })
        if (options.all === true) done(null, [...fit])
        else done(null, first.address, first.family)
      })
      .catch((error: NodeJS.ErrnoException) => done(error, ""))
  }
  return {
    lookup,
    checkHost: (host: string): void => {
      const address = host.replace(/^\[|\]$/g, "")
      if (isIP(address) !== 0) check(address)
    }
  }
}
/** Decides which addresses may be connected to. */
export type AddressGuard = ReturnType<typeof makeAddressGuard>
