/**
 * The way to a server, which can be cut.
 */
import { createServer, type Socket, connect } from "node:net"

export interface Cable {
  readonly port: number
  /** Cuts open connections, and lets nothing through until it is mended. */
  readonly cut: () => void
  /** Lets nothing through and closes nothing, as a firewall does that drops packets. */
  readonly silence: () => void
  readonly mend: () => void
  readonly remove: () => Promise<void>
}

export const cableTo = async (port: number): Promise<Cable> => {
  const open = new Set<Socket>()
  let whole = true
  let silent = false
  const server = createServer((near) => {
    if (!whole) return void near.destroy()
    if (silent) {
      open.add(near)
      return void near.on("error", () => near.destroy())
    }
    const far = connect(port, "127.0.0.1")
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      open.add(from)
      from.on("error", () => to.destroy())
      from.on("close", () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  const cut = () => {
    whole = false
    for (const socket of open) socket.destroy()
  }
  return {
    port: address.port,
    cut,
    silence: () => {
      silent = true
      for (const socket of open) {
        socket.unpipe()
        socket.pause()
      }
    },
    mend: () => void (whole = true),
    remove: () => {
      cut()
      return new Promise((resolve) => void server.close(() => resolve()))
    }
  }
}
