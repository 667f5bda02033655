import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

interface Rewrite {
  /** By how many ms the clock of the table is ahead. */
  readonly ahead?: number
  readonly body?: (body: string) => string
}

/** A way to the emulator on which requests or the time of the answers are changed. */
export const rewriting = async (target: string, { ahead = 0, body = (text) => text }: Rewrite) => {
  const server = createServer((request, response) => {
    const forward = async () => {
      const { connection: _, "content-length": __, host: ___, ...headers } = request.headers
      const answer = await fetch(target, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: body(String(await buffer(request)))
      })
      const date = new Date(Date.parse(answer.headers.get("date")!) + ahead).toUTCString()
      const answered = Buffer.from(await answer.arrayBuffer())
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type")!, date }).end(answered)
    }
    forward().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
