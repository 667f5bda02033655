/**
 * Which process listens on which port, from `/proc`. Linux only: elsewhere, and without read permission, nothing is
 * known.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { type Identity, isAlive, marker, markedBy } from "./Processes.ts"

interface Listener {
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** `/proc/net/tcp` writes addresses in words of the machine's byte order; all machines that Node runs on are little-endian. */
const bytesOf = (hex: string): ReadonlyArray<number> =>
  hex.match(/.{8}/g)!.flatMap((word) => [...Buffer.from(word, "hex").reverse()])

const addressOf = (hex: string): string => {
  const bytes = bytesOf(hex)
  if (bytes.every((byte) => byte === 0)) return "*"
  if (bytes.length === 4) return bytes.join(".")
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "[::1]"
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[2 * index]! << 8) | bytes[2 * index + 1]!).toString(16)
  )
  return `[${groups.join(":")}]`
}

const listening = "0A"

/** The listening sockets in the network namespace of a process; undefined if they cannot be read. */
const listenersOf = (pid: number | "self"): ReadonlyArray<Listener> | undefined => {
  const tables = ["tcp", "tcp6"].flatMap((table) => {
    try {
      return [readFileSync(`/proc/${pid}/net/${table}`, "utf8")]
    } catch {
      return []
    }
  })
  if (tables.length === 0) return undefined
  return tables.flatMap((table) =>
    table
      .trim()
      .split("\n")
      .slice(1)
      .flatMap((line): ReadonlyArray<Listener> => {
        const fields = line.trim().split(/\s+/)
        const [address = "", port = ""] = (fields[1] ?? "").split(":")
        if (fields[3] !== listening || address === "") return []
        return [{ address: addressOf(address), port: Number.parseInt(port, 16), inode: fields[9]! }]
      })
  )
}

/** The open sockets of a process, by inode; undefined if they cannot be read. */
const socketsOf = (pid: number): ReadonlyArray<string> | undefined => {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((file) => {
      try {
        const socket = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${file}`))
        return socket === null ? [] : [socket[1]!]
      } catch {
        return []
      }
    })
  } catch (error) {
    // A process that ended in between has none.
    return (error as NodeJS.ErrnoException).code === "EACCES" ? undefined : []
  }
}

const pids = (): ReadonlyArray<number> => {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** The parent of a process, and its group. */
const placeOf = (pid: number): { readonly parent: number; readonly group: number } | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { parent: Number(parent), group: Number(group) }
  } catch {
    return undefined
  }
}

/** A process with all its descendants: by parent, by process group, by mark. */
const familyOf = (root: number, instance: string): ReadonlyArray<number> => {
  const all = pids().map((pid) => ({ pid, place: placeOf(pid) }))
  const family = new Set([root])
  for (const { pid, place } of all) {
    if (place?.group === root || markedBy(pid, marker.instance) === instance) family.add(pid)
  }
  for (let size = 0; size < family.size;) {
    size = family.size
    for (const { pid, place } of all) if (place !== undefined && family.has(place.parent)) family.add(pid)
  }
  return [...family]
}

/** A place where a process accepts connections. */
export interface Place {
  readonly address: string
  readonly port: number
}

/** Where a process, or a descendant, accepts TCP connections; undefined if unknown. */
export const placesOf = (identity: Identity, instance: string): ReadonlyArray<Place> | undefined => {
  const listeners = isAlive(identity) ? listenersOf(identity.pid) : undefined
  if (listeners === undefined) return undefined
  const open = familyOf(identity.pid, instance).map(socketsOf)
  if (open.includes(undefined)) return undefined
  const inodes = new Set(open.flatMap((sockets) => sockets ?? []))
  const places = listeners
    .filter(({ inode }) => inodes.has(inode))
    .map(({ address, port }): [string, Place] => [`${address}:${port}`, { address, port }])
  return [...new Map(places).values()]
}

/** The process that listens on a port, if it can be determined: other users' sockets are not readable. */
export const listenerOn = (port: number): { readonly pid: number; readonly name: string } | undefined => {
  const inodes = new Set((listenersOf("self") ?? []).filter((one) => one.port === port).map(({ inode }) => inode))
  if (inodes.size === 0) return undefined
  const pid = pids().find((one) => socketsOf(one)?.some((inode) => inodes.has(inode)) === true)
  if (pid === undefined) return undefined
  try {
    return { pid, name: readFileSync(`/proc/${pid}/comm`, "utf8").trim() }
  } catch {
    return undefined
  }
}
