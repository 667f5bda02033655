import type { Bytes } from "./Names.ts"

/** As many links as Linux follows before it gives up. */
const hopsMax = 40

/**
 * The first symbolic link that leads out of its root, by its path within the root. Links are followed as the kernel
 * does, through other links, and even to missing targets. Reads nothing: `links` are all links with their targets.
 */
export const leavingLink = (links: ReadonlyMap<Bytes, Bytes>): Bytes | undefined => {
  for (const name of links.keys()) if (leaves(links, name)) return name
  return undefined
}

const leaves = (links: ReadonlyMap<Bytes, Bytes>, name: Bytes): boolean => {
  const at = name.split("/")
  let todo = [at.pop()!]
  for (let hops = 0; todo.length > 0;) {
    const part = todo.pop()!
    if (part === "" || part === ".") continue
    if (part === "..") {
      if (at.pop() === undefined) return true
      continue
    }
    at.push(part)
    const target = links.get(at.join("/"))
    if (target === undefined) continue
    if (target.startsWith("/")) return true
    if (++hops > hopsMax) return false
    at.pop()
    todo = [...todo, ...target.split("/").toReversed()]
  }
  return false
}
