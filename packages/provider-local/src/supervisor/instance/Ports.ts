import { createServer } from "node:net"

/**
 * Below the range from which systems take the ports of outgoing connections: nothing takes one of these by accident.
 */
const first = 20_000
const last = 32_000

/** Why a port of a loopback address cannot be listened on, as an error code; undefined if it can. */
export const unusable = (port: number, host = "127.0.0.1"): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })

/**
 * Free for both families: an application may choose either, and a stranger on the other one would be asked instead of
 * it.
 */
const isFree = async (port: number): Promise<boolean> =>
  (await unusable(port)) === undefined && (await unusable(port, "::1")) !== "EADDRINUSE"

/** A loopback port that is free now. */
export const freePort = async (taken: ReadonlySet<number>): Promise<number> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = first + Math.floor(Math.random() * (last - first))
    if (!taken.has(port) && (await isFree(port))) return port
  }
  throw new Error(`no free port between ${first} and ${last}`)
}
