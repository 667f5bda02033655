import { createServer } from "node:net"

/** Below the range from which systems take the ports of outgoing connections: nobody grabs one of these by accident. */
const first = 20_000
const last = 32_000

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/** A loopback port that is free now. */
export const freePort = async (taken: ReadonlySet<number>): Promise<number> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = first + Math.floor(Math.random() * (last - first))
    if (!taken.has(port) && (await isFree(port))) return port
  }
  throw new Error(`no free port between ${first} and ${last}`)
}
